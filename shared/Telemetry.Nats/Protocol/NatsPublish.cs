using System.Text;

namespace Telemetry.Nats;

/// <summary>
/// One message to send. The payload belongs to the caller; it is copied once, into the write buffer.
/// </summary>
internal readonly record struct NatsPublish
{
    /// <summary>The header by which JetStream drops repeats within a stream's duplicate window.</summary>
    public const string MessageIdHeader = "Nats-Msg-Id";

    private const int ReplyTokenBytesMax = 20;

    public required string Subject { get; init; }

    /// <summary>Where the answer goes; with a token it is a prefix that ends in a dot.</summary>
    public string? ReplyTo { get; init; }

    public ulong? ReplyToken { get; init; }

    public NatsHeaders? Headers { get; init; }

    /// <summary>Value of <see cref="MessageIdHeader"/>; beside the headers so that it costs no object.</summary>
    public string? MessageId { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    public int ReplyBytesMax => ReplyTo is null ? 0 : ReplyTo.Length + ReplyTokenBytesMax;

    /// <summary>Length of the header block, 0 without headers.</summary>
    public int HeaderBytes
    {
        get
        {
            if (MessageId is null && Headers is not { Count: > 0 })
            {
                return 0;
            }

            var bytes = "NATS/1.0\r\n\r\n".Length;
            if (MessageId is { } id)
            {
                bytes += LineBytes(MessageIdHeader, id);
            }

            if (Headers is { } headers)
            {
                foreach (var (name, value) in headers)
                {
                    bytes += LineBytes(name, value);
                }
            }

            return bytes;
        }
    }

    /// <summary>What the server holds against its max_payload.</summary>
    public long SizeBytes => HeaderBytes + (long)Payload.Length;

    /// <summary>Upper bound of the frame on the wire.</summary>
    public long WireBytesMax => 64 + Subject.Length + ReplyBytesMax + SizeBytes;

    private static int LineBytes(string name, string value) =>
        name.Length + ": \r\n".Length + Encoding.UTF8.GetByteCount(value);
}
