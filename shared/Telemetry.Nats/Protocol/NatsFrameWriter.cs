using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Telemetry.Nats;

/// <summary>Writes what a client sends. Subjects were checked by the caller (<see cref="NatsSubjects"/>).</summary>
internal static class NatsFrameWriter
{
    private const int NumberBytesMax = 20;

    /// <summary><c>CONNECT {json}␍␊</c></summary>
    public static void WriteConnect(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        output.Write("CONNECT "u8);
        output.Write(json);
        output.Write("\r\n"u8);
    }

    /// <summary><c>PING␍␊</c></summary>
    public static void WritePing(IBufferWriter<byte> output) => output.Write("PING\r\n"u8);

    /// <summary><c>PONG␍␊</c></summary>
    public static void WritePong(IBufferWriter<byte> output) => output.Write("PONG\r\n"u8);

    /// <summary><c>SUB subject [queue group] sid␍␊</c></summary>
    public static void WriteSubscribe(IBufferWriter<byte> output, string subject, string? queueGroup, long id)
    {
        var span = output.GetSpan(16 + subject.Length + (queueGroup?.Length ?? 0) + NumberBytesMax);
        var at = Put(span, 0, "SUB "u8);
        at = Put(span, at, subject);
        if (queueGroup is not null)
        {
            span[at++] = (byte)' ';
            at = Put(span, at, queueGroup);
        }

        span[at++] = (byte)' ';
        at = Put(span, at, id);
        output.Advance(Put(span, at, "\r\n"u8));
    }

    /// <summary><c>UNSUB sid␍␊</c></summary>
    public static void WriteUnsubscribe(IBufferWriter<byte> output, long id)
    {
        var span = output.GetSpan(16 + NumberBytesMax);
        var at = Put(span, 0, "UNSUB "u8);
        at = Put(span, at, id);
        output.Advance(Put(span, at, "\r\n"u8));
    }

    /// <summary>
    /// <c>PUB subject [reply-to] #payload␍␊payload␍␊</c>, or with headers
    /// <c>HPUB subject [reply-to] #headers #headers+payload␍␊headers payload␍␊</c>
    /// </summary>
    public static void WritePublish(IBufferWriter<byte> output, in NatsPublish publish)
    {
        var headerBytes = publish.HeaderBytes;
        var lineMax = 16 + publish.Subject.Length + publish.ReplyBytesMax + (2 * NumberBytesMax);
        var span = output.GetSpan(lineMax + headerBytes);
        var at = Put(span, 0, headerBytes > 0 ? "HPUB "u8 : "PUB "u8);
        at = Put(span, at, publish.Subject);
        span[at++] = (byte)' ';
        if (publish.ReplyTo is { } reply)
        {
            at = Put(span, at, reply);
            if (publish.ReplyToken is { } token)
            {
                at = Put(span, at, (long)token);
            }

            span[at++] = (byte)' ';
        }

        if (headerBytes > 0)
        {
            at = Put(span, at, headerBytes);
            span[at++] = (byte)' ';
        }

        at = Put(span, at, headerBytes + publish.Payload.Length);
        at = Put(span, at, "\r\n"u8);
        if (headerBytes > 0)
        {
            at = PutHeaders(span, at, publish);
        }

        output.Advance(at);
        output.Write(publish.Payload.Span);
        output.Write("\r\n"u8);
    }

    /// <summary><c>NATS/1.0␍␊(name: value␍␊)*␍␊</c></summary>
    private static int PutHeaders(Span<byte> span, int at, in NatsPublish publish)
    {
        at = Put(span, at, "NATS/1.0\r\n"u8);
        if (publish.MessageId is { } id)
        {
            at = PutHeader(span, at, NatsPublish.MessageIdHeader, id);
        }

        if (publish.Headers is { } headers)
        {
            foreach (var (name, value) in headers)
            {
                at = PutHeader(span, at, name, value);
            }
        }

        return Put(span, at, "\r\n"u8);
    }

    private static int PutHeader(Span<byte> span, int at, string name, string value)
    {
        at = Put(span, at, name);
        at = Put(span, at, ": "u8);
        at += Encoding.UTF8.GetBytes(value, span[at..]);
        return Put(span, at, "\r\n"u8);
    }

    private static int Put(Span<byte> span, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(span[at..]);
        return at + bytes.Length;
    }

    private static int Put(Span<byte> span, int at, string ascii) =>
        at + Encoding.ASCII.GetBytes(ascii, span[at..]);

    private static int Put(Span<byte> span, int at, long number)
    {
        Utf8Formatter.TryFormat(number, span[at..], out var written);
        return at + written;
    }
}
