using System.Globalization;

namespace Telemetry.Streams.JetStream;

/// <summary>The fields of a delivery's reply subject.</summary>
internal readonly record struct DeliveryPosition(
    ulong StreamSequence, ulong ConsumerSequence, long StoredAtNanoseconds, ulong PendingMessages)
{
    /// <summary>
    /// Reads <c>$JS.ACK.stream.consumer.delivered.sseq.cseq.time.pending</c>, or the form of newer servers,
    /// <c>$JS.ACK.domain.account.stream.consumer.delivered.sseq.cseq.time.pending[.random]</c> (NATS ADR-15).
    /// </summary>
    public static bool TryRead(ReadOnlySpan<char> replyTo, out DeliveryPosition position)
    {
        position = default;
        if (!replyTo.StartsWith("$JS.ACK."))
        {
            return false;
        }

        var tokens = replyTo.Count('.') + 1;
        if (tokens is not (9 or 11 or 12))
        {
            return false;
        }

        var rest = replyTo;
        for (var skip = tokens == 9 ? 5 : 7; skip > 0; skip--)
        {
            rest = rest[(rest.IndexOf('.') + 1)..];
        }

        if (!TryTake(ref rest, out var stream) || !TryTake(ref rest, out var consumer)
            || !TryTake(ref rest, out var time) || !TryTake(ref rest, out var pending) || time > long.MaxValue)
        {
            return false;
        }

        position = new(stream, consumer, (long)time, pending);
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<char> rest, out ulong number)
    {
        var end = rest.IndexOf('.');
        var token = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return ulong.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
