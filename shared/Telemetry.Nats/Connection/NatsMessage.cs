using System.Buffers;
using System.Text;

namespace Telemetry.Nats;

/// <summary>
/// A received message. It owns its bytes (one array, copied once from the receive buffer) and may be kept.
/// </summary>
public readonly struct NatsMessage
{
    private readonly byte[]? _bytes;
    private readonly int _replyBytes;
    private readonly int _headerBytes;

    private NatsMessage(string subject, byte[] bytes, int replyBytes, int headerBytes)
    {
        Subject = subject;
        _bytes = bytes;
        _replyBytes = replyBytes;
        _headerBytes = headerBytes;
    }

    /// <summary>The subject it was published on.</summary>
    public string Subject { get; }

    /// <summary>Where an answer is expected, or null. Makes a string at each call.</summary>
    public string? ReplyTo => _replyBytes == 0 ? null : Encoding.UTF8.GetString(ReplyBytes);

    /// <summary>The payload.</summary>
    public ReadOnlyMemory<byte> Data => _bytes.AsMemory(_replyBytes + _headerBytes);

    /// <summary>True if a header block came with it.</summary>
    public bool HasHeaders => _headerBytes > 0;

    /// <summary>The headers, read anew at each call; empty without any.</summary>
    /// <exception cref="NatsProtocolException">The header block is malformed.</exception>
    public NatsHeaders Headers => _headerBytes == 0 ? [] : NatsHeaders.Read(HeaderBlock);

    internal ReadOnlySpan<byte> ReplyBytes => _bytes.AsSpan(0, _replyBytes);

    internal ReadOnlySpan<byte> HeaderBlock => _bytes.AsSpan(_replyBytes, _headerBytes);

    internal bool IsNoResponders =>
        _headerBytes > 0 && Data.IsEmpty && HeaderBlock.StartsWith("NATS/1.0 503"u8);

    /// <summary>The first value of a header, or null; cheaper than <see cref="Headers"/>.</summary>
    /// <exception cref="NatsProtocolException">The header block is malformed.</exception>
    public string? FindHeader(string name)
    {
        if (_headerBytes == 0)
        {
            return null;
        }

        foreach (var line in new NatsHeaderBlock(HeaderBlock))
        {
            if (Ascii.Equals(line.Name, name))
            {
                return Encoding.UTF8.GetString(line.Value);
            }
        }

        return null;
    }

    internal static NatsMessage Copy(in NatsFrame frame, string subject)
    {
        var replyBytes = frame.ReplyTo.Length;
        var headerBytes = (int)frame.Headers.Length;
        var bytes = GC.AllocateUninitializedArray<byte>(replyBytes + headerBytes + (int)frame.Payload.Length);
        frame.ReplyTo.CopyTo(bytes);
        frame.Headers.CopyTo(bytes.AsSpan(replyBytes));
        frame.Payload.CopyTo(bytes.AsSpan(replyBytes + headerBytes));
        return new(subject, bytes, replyBytes, headerBytes);
    }
}
