using System.Buffers.Text;
using System.Text;

namespace Telemetry.Nats;

/// <summary>What the server says of a pull, in headers without a payload.</summary>
/// <param name="Number">The pull it concerns, from the subject it came on.</param>
/// <param name="Code">Like an HTTP status: 100 heartbeat, 404, 408, 409, 503.</param>
/// <param name="Description">The server's words.</param>
/// <param name="LastConsumer">Of a heartbeat: the last delivery the server made; 0 if it says none.</param>
/// <param name="LastStream">Of a heartbeat: the stream sequence of that delivery.</param>
internal readonly record struct PullStatus(
    long Number, int Code, string Description, ulong LastConsumer, ulong LastStream)
{
    /// <summary>Anything else on a pull's inbox is malformed, since only the server knows it.</summary>
    public static PullStatus Read(in NatsFrame frame, string inbox)
    {
        var message = NatsMessage.Copy(frame, "");
        if (!message.HasHeaders || frame.Subject.Length <= inbox.Length
            || !Ascii.Equals(frame.Subject[..inbox.Length], inbox)
            || !Utf8Parser.TryParse(frame.Subject[inbox.Length..], out long number, out _))
        {
            throw new NatsProtocolException("A pull consumer got a message that is neither delivery nor status");
        }

        var block = new NatsHeaderBlock(message.HeaderBlock);
        var (lastConsumer, lastStream) = (0ul, 0ul);
        foreach (var line in block)
        {
            if (line.Name.SequenceEqual("Nats-Last-Consumer"u8))
            {
                lastConsumer = Number64(line.Value);
            }
            else if (line.Name.SequenceEqual("Nats-Last-Stream"u8))
            {
                lastStream = Number64(line.Value);
            }
        }

        return new(number, block.Status, Encoding.UTF8.GetString(block.Description), lastConsumer, lastStream);
    }

    private static ulong Number64(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out ulong number, out var used) && used == value.Length
            ? number
            : throw new NatsProtocolException("A heartbeat's position is no number");
}
