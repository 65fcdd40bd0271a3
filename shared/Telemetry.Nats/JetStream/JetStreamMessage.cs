using System.Buffers.Text;

namespace Telemetry.Nats;

/// <summary>A message delivered by a <see cref="PullConsumer"/>. It owns its bytes and may be kept.</summary>
public readonly struct JetStreamMessage
{
    private readonly NatsMessage _message;

    internal JetStreamMessage(NatsMessage message, in DeliveryPosition position)
    {
        _message = message;
        Sequence = position.StreamSequence;
        StoredAtNanoseconds = position.StoredAtNanoseconds;
        PendingMessages = position.PendingMessages;
    }

    /// <summary>The subject it was published on.</summary>
    public string Subject => _message.Subject;

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Data => _message.Data;

    /// <summary>The headers, read anew at each call; empty without any.</summary>
    /// <exception cref="NatsProtocolException">The header block is malformed.</exception>
    public NatsHeaders Headers => _message.Headers;

    /// <summary>Its sequence in the stream.</summary>
    public ulong Sequence { get; }

    /// <summary>When the stream stored it: nanoseconds since 1970-01-01 UTC.</summary>
    public long StoredAtNanoseconds { get; }

    /// <summary>Messages that followed it in the stream when it was sent.</summary>
    public ulong PendingMessages { get; }

    /// <summary>The id it was published with (Nats-Msg-Id), or null.</summary>
    public string? MessageId => _message.FindHeader(NatsPublish.MessageIdHeader);

    /// <summary>The first value of a header, or null; cheaper than <see cref="Headers"/>.</summary>
    public string? FindHeader(string name) => _message.FindHeader(name);
}

/// <summary>What the reply subject of a delivery says.</summary>
internal readonly record struct DeliveryPosition(
    ulong StreamSequence, ulong ConsumerSequence, long StoredAtNanoseconds, ulong PendingMessages)
{
    /// <summary>
    /// <c>$JS.ACK.stream.consumer.delivered.sseq.cseq.time.pending</c>, from newer servers
    /// <c>$JS.ACK.domain.account.stream.consumer.delivered.sseq.cseq.time.pending[.random]</c> (NATS ADR-15).
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> replyTo, out DeliveryPosition position)
    {
        position = default;
        if (!replyTo.StartsWith("$JS.ACK."u8))
        {
            return false;
        }

        var tokens = replyTo.Count((byte)'.') + 1;
        if (tokens is not (9 or 11 or 12))
        {
            return false;
        }

        var rest = replyTo;
        for (var skip = tokens == 9 ? 5 : 7; skip > 0; skip--)
        {
            rest = rest[(rest.IndexOf((byte)'.') + 1)..];
        }

        if (!TryTake(ref rest, out var stream) || !TryTake(ref rest, out var consumer)
            || !TryTake(ref rest, out var time) || !TryTake(ref rest, out var pending) || time > long.MaxValue)
        {
            return false;
        }

        position = new(stream, consumer, (long)time, pending);
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ulong number)
    {
        var end = rest.IndexOf((byte)'.');
        var token = end < 0 ? rest : rest[..end];
        rest = end < 0 ? default : rest[(end + 1)..];
        return Utf8Parser.TryParse(token, out number, out var used) && used == token.Length;
    }
}
