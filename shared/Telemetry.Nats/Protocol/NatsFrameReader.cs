using System.Buffers;
using System.Buffers.Text;

namespace Telemetry.Nats;

/// <summary>
/// Reads frames from the receive buffer. Owns the scratch memory for control lines that straddle two
/// buffers (it never grows beyond the line limits). One receive loop uses one reader.
/// </summary>
internal sealed class NatsFrameReader
{
    private byte[] _scratch = [];

    /// <summary>Limits in force; the shell lowers the payload's limit to the server's max_payload.</summary>
    public NatsReadLimits Limits { get; set; } = NatsReadLimits.Default;

    /// <summary>
    /// Takes the next whole frame off the front of <paramref name="buffer"/>. False: more bytes are needed and
    /// nothing was taken. Malformed input: <see cref="NatsProtocolException"/>.
    /// </summary>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out NatsFrame frame)
    {
        frame = default;
        var limits = Limits;
        if (!NatsFrameScanner.TryFindLine(buffer, limits, out var lineBytes))
        {
            return false;
        }

        var line = LineOf(buffer, lineBytes);
        var extent = NatsFrameScanner.Read(line, limits);

        // The line is judged before its body is waited for: a wrong one must not wait for ever.
        frame = extent.HasBody ? ReadMessageLine(line, extent.Kind) : ReadText(line, extent.Kind);
        if (buffer.Length < extent.TotalBytes)
        {
            frame = default;
            return false;
        }

        if (extent.HasBody)
        {
            frame = AddBody(frame, buffer.Slice(extent.LineBytes + 2), extent);
        }

        buffer = buffer.Slice(extent.TotalBytes);
        return true;
    }

    private static NatsFrame ReadText(ReadOnlySpan<byte> line, NatsFrameKind kind)
    {
        var rest = line;
        _ = TakeField(ref rest);
        rest = rest.Trim(" \t"u8);
        switch (kind)
        {
            case NatsFrameKind.Info:
                return new() { Kind = kind, Text = rest };
            case NatsFrameKind.Error:
                if (rest.Length >= 2 && rest[0] == (byte)'\'' && rest[^1] == (byte)'\'')
                {
                    rest = rest[1..^1];
                }

                return new() { Kind = kind, Text = rest };
            default:
                return rest.IsEmpty
                    ? new() { Kind = kind }
                    : throw new NatsProtocolException($"{kind} with {rest.Length} bytes behind it");
        }
    }

    private static NatsFrame ReadMessageLine(ReadOnlySpan<byte> line, NatsFrameKind kind)
    {
        var sizes = kind == NatsFrameKind.MessageWithHeaders ? 2 : 1;
        var rest = line;
        _ = TakeField(ref rest);
        var subject = TakeField(ref rest);
        var id = TakeField(ref rest);
        var fourth = TakeField(ref rest);
        var fifth = TakeField(ref rest);
        var sixth = TakeField(ref rest);
        if (!rest.Trim(" \t"u8).IsEmpty)
        {
            throw new NatsProtocolException("Message line with too many fields");
        }

        // With a reply subject there is one field more than sizes; without one there is none.
        var behind = (fourth.IsEmpty ? 0 : 1) + (fifth.IsEmpty ? 0 : 1) + (sixth.IsEmpty ? 0 : 1);
        if (id.IsEmpty || (behind != sizes && behind != sizes + 1))
        {
            throw new NatsProtocolException("Message line with too few or too many fields");
        }

        if (!Utf8Parser.TryParse(id, out long subscription, out var used) || used != id.Length || subscription < 0)
        {
            throw new NatsProtocolException("Subscription id of a message is no number");
        }

        return new()
        {
            Kind = kind,
            Subject = subject,
            SubscriptionId = subscription,
            ReplyTo = behind > sizes ? fourth : default,
        };
    }

    private static NatsFrame AddBody(NatsFrame frame, ReadOnlySequence<byte> body, NatsFrameExtent extent)
    {
        Span<byte> crlf = stackalloc byte[2];
        body.Slice(extent.HeaderBytes + (long)extent.PayloadBytes, 2).CopyTo(crlf);
        if (!crlf.SequenceEqual("\r\n"u8))
        {
            throw new NatsProtocolException("Message payload without CR LF behind it");
        }

        return new()
        {
            Kind = frame.Kind,
            Subject = frame.Subject,
            SubscriptionId = frame.SubscriptionId,
            ReplyTo = frame.ReplyTo,
            Headers = body.Slice(0, extent.HeaderBytes),
            Payload = body.Slice(extent.HeaderBytes, extent.PayloadBytes),
        };
    }

    private static ReadOnlySpan<byte> TakeField(scoped ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart(" \t"u8);
        var end = rest.IndexOfAny((byte)' ', (byte)'\t');
        var field = end < 0 ? rest : rest[..end];
        rest = rest[field.Length..];
        return field;
    }

    private ReadOnlySpan<byte> LineOf(in ReadOnlySequence<byte> buffer, int lineBytes)
    {
        if (buffer.FirstSpan.Length >= lineBytes)
        {
            return buffer.FirstSpan[..lineBytes];
        }

        if (_scratch.Length < lineBytes)
        {
            _scratch = new byte[Math.Max(lineBytes, 256)];
        }

        buffer.Slice(0, lineBytes).CopyTo(_scratch);
        return _scratch.AsSpan(0, lineBytes);
    }
}
