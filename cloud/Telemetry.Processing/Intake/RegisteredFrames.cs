using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Intake;

/// <summary>
/// The registered frames with which repeated settled ranges are compared. The gateway determines how many frames it
/// repeats; therefore one query looks them up for all messages that were taken together, and each counts towards the
/// transaction's weight.
/// </summary>
internal sealed class RegisteredFrames(IStore store, TransactionWeight weight)
{
    /// <summary>The cost of looking one frame up, in readings.</summary>
    private const int LookWeight = 32;

    private readonly Dictionary<(GatewayId, FrameKey), FrameRegisterRow?> _found = [];

    /// <summary>
    /// Looks up the frames with which these messages will be compared, as far as the ledger shows before they are
    /// applied.
    /// </summary>
    public async ValueTask LookUpAsync(IReadOnlyList<TakenMessage> taken, CancellationToken cancellationToken)
    {
        _found.Clear();
        var asked = new List<(GatewayId, FrameKey)>();
        foreach (var (owner, _, message) in taken)
        {
            if (owner.Gateways.TryGetValue(message.Gateway, out var memory) && KeyOf(message) is { } key
                && memory.Ledger is var gateway && gateway.Epochs.TryGetValue(key.Epoch, out var epoch)
                && epoch.Place(key.Lane, key.Range) == Ledger.Placement.Settled
                && gateway.RecentChecksum(key) is null && _found.TryAdd((gateway.Gateway, key), null))
            {
                asked.Add((gateway.Gateway, key));
            }
        }

        if (asked.Count > 0)
        {
            await FindAsync(asked, cancellationToken);
        }
    }

    /// <summary>The first registered frame that overlaps a range; null where there is none.</summary>
    public async ValueTask<FrameRegisterRow?> FindAsync(
        GatewayId gateway, FrameKey key, CancellationToken cancellationToken)
    {
        if (!_found.ContainsKey((gateway, key)))
        {
            await FindAsync([(gateway, key)], cancellationToken);
        }

        return _found[(gateway, key)];
    }

    private async ValueTask FindAsync(List<(GatewayId, FrameKey)> asked, CancellationToken cancellationToken)
    {
        weight.Add(asked.Count * LookWeight);
        var frames = await store.FindFirstFramesAsync(asked, cancellationToken);
        for (var i = 0; i < asked.Count; i++)
        {
            _found[asked[i]] = frames[i];
        }
    }

    private static FrameKey? KeyOf(FrameLogMessage message)
    {
        try
        {
            FrameEnvelope.Read(message.Data.Span, out var offset);
            var bytes = message.Data.Span[offset..];
            if (!FrameReader.TryKind(bytes, out var kind) || kind != FrameKind.Readings)
            {
                return null;
            }

            var reader = new WireReader(bytes);
            return FrameHeader.Read(ref reader).Key;
        }
        catch (WireFormatException)
        {
            // Applying the message reports the error.
            return null;
        }
    }
}
