using Telemetry.Edge.Uplink;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: a PUBACK is taken for a stored-ack, so the frame leaves the outbox on it.</summary>
internal sealed class SettlingLink(IUplinkConnector link) : AlteredLink(link)
{
    private StoredAck? _answer;

    protected override async ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var outcome = await connection.Inner.PublishAsync(topic, payload, cancellationToken);
        if (outcome.Accepted && IsFrames(topic) && _answer is { } answer
            && Settling(payload.Span, answer) is { } forged)
        {
            connection.Forge(forged);
        }

        return outcome;
    }

    protected override ReadOnlyMemory<byte> Down(ReadOnlyMemory<byte> message)
    {
        if (message.Span[0] == (byte)DownKind.StoredAck
            && StoredAck.Read(message.Span) is { InAnswerTo: not null } answer)
        {
            _answer = answer;
        }

        return message;
    }

    private static ReadOnlyMemory<byte>? Settling(ReadOnlySpan<byte> payload, StoredAck answer)
    {
        FrameEnvelope.Read(payload, out var offset);
        if (!FrameReader.TryKind(payload[offset..], out var kind) || kind == FrameKind.Schema)
        {
            return null;
        }

        var key = FrameReader.Header(payload[offset..], out var checksum).Key;
        var lanes = Enumerable.Repeat(LaneSettlement.Empty, Lanes.Count).ToArray();
        lanes[(int)key.Lane] = new LaneSettlement(
            0, 0, key.Last, [new SettledRun(key.Range, RunState.Settled, key.Share(checksum))]);
        var writer = new WireWriter();
        (answer with
        {
            InAnswerTo = null,
            Epochs = [new EpochSettlement(key.Epoch, false, lanes)],
            KnownSchemas = [],
        }).Write(writer);
        return writer.ToArray();
    }
}
