using Telemetry.Edge.Outbox.Commits;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The bytes of held frames: the latest from memory, others from the file. A frame that is damaged or refused for good
/// is replaced by a tombstone of the same range, so that no reading disappears without a record (G5).
/// </summary>
internal sealed class FrameBytes(IOutboxFile file, OutboxState state, CommitLoop commits, TimeProvider time)
{
    private readonly FrameSealer _sealer = new();

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(HeldFrame frame, CancellationToken cancellationToken)
    {
        if (state.Cache.TryGet(frame.Id, out var cached) && !frame.Freed)
        {
            return cached;
        }

        if (!frame.Held || frame.Freed)
        {
            return null;
        }

        var stored = await file.ReadFrameAsync(frame.Id, cancellationToken);
        if (stored.Data is { } data && IsIntact(data, frame.Checksum))
        {
            return data;
        }

        if (frame is { Freed: false, Held: true })
        {
            await DeclareDamagedAsync(frame, stored.Counts);
        }

        return null;
    }

    public async ValueTask QuarantineAsync(HeldFrame frame, string reason, CancellationToken cancellationToken)
    {
        if (await ReadAsync(frame, cancellationToken) is not { } bytes || frame.Freed)
        {
            return;
        }

        var original = bytes.ToArray();
        var (header, declarations) = FrameReplacement.Refuse(original, state.Series.Types);
        var at = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        await ReplaceAsync(frame, header, declarations, new QuarantineRow(frame.Key, reason, at, original));
    }

    private static bool IsIntact(byte[] frame, ulong checksum)
    {
        try
        {
            return FrameHeader.Checksum(frame) == checksum;
        }
        catch (WireFormatException)
        {
            // A wrong checksum is what this method looks for; the result is "damaged".
            return false;
        }
    }

    /// <summary>
    /// Only a frame that certainly was never sent may become a tombstone. Any other may be in the log: it keeps its
    /// header and checksum, and the cloud finds it stored or lost.
    /// </summary>
    private async ValueTask DeclareDamagedAsync(HeldFrame frame, byte[]? counts)
    {
        if (frame is not { SealedByThisRun: true, Attempts: 0, Receipt: null })
        {
            state.Unhold(frame);
            return;
        }

        var declarations = SeriesCounts.Declare(
            counts,
            frame.Key.Count,
            frame.Series,
            state.Series.Types.Length,
            frame.TimeFirst,
            frame.TimeLast,
            DropReason.Damaged);
        var header = FrameReplacement.HeaderOf(frame, state.Epochs.Find(frame.Key.Epoch)!);
        await ReplaceAsync(frame, header, declarations, null);
    }

    private async Task ReplaceAsync(
        HeldFrame frame, FrameHeader header, List<Declaration> declarations, QuarantineRow? quarantined)
    {
        var part = SealPart.OfDeclarations(frame.Key.Lane, declarations);

        // The header keeps the original's schema, whose series are known wherever the frame may be sent.
        var tombstone = _sealer.Write(header, part, state.Series);
        await commits.ReplaceAsync(new FrameReplacement(frame, tombstone, quarantined));
    }
}
