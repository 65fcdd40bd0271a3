using System.Buffers;
using System.Buffers.Text;

namespace Telemetry.Nats;

/// <summary>Where a frame ends and how it divides; the line's length excludes its CR LF.</summary>
internal readonly record struct NatsFrameExtent(NatsFrameKind Kind, int LineBytes, int HeaderBytes, int PayloadBytes)
{
    public bool HasBody => Kind is NatsFrameKind.Message or NatsFrameKind.MessageWithHeaders;

    /// <summary>The whole frame with every CR LF.</summary>
    public long TotalBytes => LineBytes + 2L + (HasBody ? HeaderBytes + (long)PayloadBytes + 2 : 0);
}

/// <summary>
/// Finds the end of a frame without reading its fields.
/// <code>
/// INFO {json}␍␊                      PING␍␊   PONG␍␊   +OK␍␊   -ERR 'text'␍␊
/// MSG  subject sid [reply-to] #payload␍␊payload␍␊
/// HMSG subject sid [reply-to] #headers #headers+payload␍␊headers payload␍␊
/// </code>
/// Names of operations are case-insensitive; fields are parted by one or more blanks or tabs.
/// </summary>
internal static class NatsFrameScanner
{
    /// <summary>What the whole frame measures, by its control line without CR LF.</summary>
    public static NatsFrameExtent Read(ReadOnlySpan<byte> line, in NatsReadLimits limits)
    {
        var kind = KindOf(line);
        CheckLineLength(kind, line.Length, limits);
        switch (kind)
        {
            case NatsFrameKind.Message:
                var rest = line;
                return new(kind, line.Length, 0, Size(TakeLast(ref rest), limits.PayloadBytesMax));
            case NatsFrameKind.MessageWithHeaders:
                rest = line;
                var total = Size(TakeLast(ref rest), limits.PayloadBytesMax);
                var headers = Size(TakeLast(ref rest), limits.PayloadBytesMax);
                if (headers > total)
                {
                    throw new NatsProtocolException($"HMSG with {headers} header bytes of {total} bytes in all");
                }

                return new(kind, line.Length, headers, total - headers);
            default:
                return new(kind, line.Length, 0, 0);
        }
    }

    /// <summary>
    /// Looks for the control line. False: its end is not there yet. A line that can no longer end within
    /// the limits is refused before more of it is gathered.
    /// </summary>
    public static bool TryFindLine(in ReadOnlySequence<byte> buffer, in NatsReadLimits limits, out int lineBytes)
    {
        lineBytes = 0;
        if (buffer.IsEmpty)
        {
            return false;
        }

        long end;
        if (buffer.IsSingleSegment)
        {
            end = buffer.FirstSpan.IndexOf((byte)'\n');
        }
        else
        {
            end = buffer.PositionOf((byte)'\n') is { } found ? buffer.Slice(0, found).Length : -1;
        }

        var first = buffer.FirstSpan.IsEmpty ? buffer.Slice(buffer.Start).ToFirstByte() : buffer.FirstSpan[0];
        var isText = first is (byte)'I' or (byte)'i' or (byte)'-';
        var limit = isText ? limits.TextLineBytesMax : limits.LineBytesMax;
        if ((end < 0 ? buffer.Length : end) > limit + 1L)
        {
            throw new NatsProtocolException($"Control line beyond {limit} bytes");
        }

        if (end < 0)
        {
            return false;
        }

        if (end == 0 || buffer.Slice(end - 1, 1).ToFirstByte() != (byte)'\r')
        {
            throw new NatsProtocolException("Control line without CR before its LF");
        }

        lineBytes = (int)end - 1;
        return true;
    }

    private static byte ToFirstByte(this in ReadOnlySequence<byte> sequence)
    {
        foreach (var memory in sequence)
        {
            if (!memory.IsEmpty)
            {
                return memory.Span[0];
            }
        }

        return 0;
    }

    private static NatsFrameKind KindOf(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOfAny((byte)' ', (byte)'\t');
        var name = end < 0 ? line : line[..end];
        Span<byte> upper = stackalloc byte[8];
        if (name.Length is >= 3 and <= 4)
        {
            for (var i = 0; i < name.Length; i++)
            {
                var c = name[i];
                upper[i] = c is >= (byte)'a' and <= (byte)'z' ? (byte)(c - 32) : c;
            }

            upper = upper[..name.Length];
            if (upper.SequenceEqual("MSG"u8))
            {
                return NatsFrameKind.Message;
            }

            if (upper.SequenceEqual("HMSG"u8))
            {
                return NatsFrameKind.MessageWithHeaders;
            }

            if (upper.SequenceEqual("PING"u8))
            {
                return NatsFrameKind.Ping;
            }

            if (upper.SequenceEqual("PONG"u8))
            {
                return NatsFrameKind.Pong;
            }

            if (upper.SequenceEqual("+OK"u8))
            {
                return NatsFrameKind.Ok;
            }

            if (upper.SequenceEqual("INFO"u8))
            {
                return NatsFrameKind.Info;
            }

            if (upper.SequenceEqual("-ERR"u8))
            {
                return NatsFrameKind.Error;
            }
        }

        throw new NatsProtocolException($"Unknown operation of {name.Length} bytes");
    }

    private static void CheckLineLength(NatsFrameKind kind, int lineBytes, in NatsReadLimits limits)
    {
        var limit = kind is NatsFrameKind.Info or NatsFrameKind.Error ? limits.TextLineBytesMax : limits.LineBytesMax;
        if (lineBytes > limit)
        {
            throw new NatsProtocolException($"{kind} line of {lineBytes} bytes, limit {limit}");
        }
    }

    private static ReadOnlySpan<byte> TakeLast(scoped ref ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd(" \t"u8);
        var start = line.LastIndexOfAny((byte)' ', (byte)'\t') + 1;
        var field = line[start..];
        line = line[..start];
        return field;
    }

    private static int Size(ReadOnlySpan<byte> digits, int limit)
    {
        if (digits.IsEmpty || digits.Length > 10 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || !Utf8Parser.TryParse(digits, out long size, out var used) || used != digits.Length)
        {
            throw new NatsProtocolException("Size of a message is no number");
        }

        if (size > limit)
        {
            throw new NatsProtocolException($"Message of {size} bytes, limit {limit}");
        }

        return (int)size;
    }
}
