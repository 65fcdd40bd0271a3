using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Simulation.Worlds;

/// <summary>Messages in words, for whoever looks at one seed.</summary>
internal static class MessageText
{
    public static string OfUp(string topic, ReadOnlySpan<byte> payload)
    {
        if (topic.EndsWith("/hello", StringComparison.Ordinal))
        {
            return Of(Hello.Read(payload));
        }

        var delivery = FrameEnvelope.Read(payload, out var offset);
        var frame = payload[offset..];
        if (FrameReader.TryKind(frame, out var kind) && kind == FrameKind.Schema)
        {
            return $"schema {SchemaMessage.Read(frame).Id} on {topic}";
        }

        var header = FrameReader.Header(frame, out var checksum);
        return $"frame {header.Key} attempt {delivery.Attempt} checksum {checksum:x} predecessor {header.Predecessor}";
    }

    public static string OfDown(ReadOnlySpan<byte> message) => (DownKind)message[0] switch
    {
        DownKind.StoredAck => Of(StoredAck.Read(message)),
        DownKind.SchemaNeeded => SchemaNeeded.Read(message).ToString(),
        DownKind.Receipt => ReceiptMessage.Read(message).ToString(),
        _ => $"{message.Length} bytes of an unknown kind",
    };

    private static string Of(Hello hello) =>
        $"{(hello.Full ? "hello" : "short hello")} {hello.Id.Number} of {hello.Id.Process:x}: "
        + $"accepted {hello.Accepted}, {hello.Fork}"
        + string.Concat(hello.Epochs.Select(e => $"\n    {e.Epoch:x} after {e.Predecessor}" + string.Concat(
            e.Lanes.Where(l => l.LastSealed > 0).Select(l => $" | sealed {l.LastSealed} holds {Of(l.Held)}"))));

    private static string Of(StoredAck ack) =>
        $"{(ack.InAnswerTo is { } hello ? $"answer to hello {hello.Number}" : "stored-ack")} token {ack.Token:x} "
        + $"said {ack.ServerTimeMicros % 3_600_000_000 / 1e6:F3} live {ack.Live} backlog {ack.Backlog} "
        + $"{(ack.Fork ? "FORK" : "")}"
        + string.Concat(ack.Epochs.Select(e => $"\n    {e.Epoch:x}{(e.Complete ? " complete" : "")}" + string.Concat(
            e.Lanes.Select(
                (l, i) => l.Announced == 0 ? "" : $" | {((Lane)i).Name()} prefix {l.Prefix} of {l.Announced} "
                + string.Join(',', l.Runs.Select(r => $"{r.State} {r.Range.First}-{r.Range.Last}"))))));

    private static string Of(SequenceRange[] ranges) => string.Join(',', ranges.Select(r => $"{r.First}-{r.Last}"));
}
