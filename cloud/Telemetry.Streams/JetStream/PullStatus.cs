using System.Globalization;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>The server's status of a pull, in headers without a payload.</summary>
/// <param name="Number">The pull that it concerns, from the subject of the message.</param>
/// <param name="Code">A code like those of HTTP: 100 heartbeat, 404, 408, 409, 503.</param>
/// <param name="Description">The server's text.</param>
/// <param name="LastConsumer">For a heartbeat: the last delivery that the server made; 0 if it names none.</param>
/// <param name="LastStream">For a heartbeat: the stream sequence of that delivery.</param>
internal readonly record struct PullStatus(
    long Number, int Code, string Description, ulong LastConsumer, ulong LastStream)
{
    /// <summary>Reads a message on a pull's inbox; false when it is not a status.</summary>
    public static bool TryRead(ReadOnlySpan<char> pullNumber, NatsHeaders? headers, out PullStatus status)
    {
        status = default;
        if (headers is not { Code: > 0 }
            || !long.TryParse(pullNumber, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !TryNumber(headers.Find("Nats-Last-Consumer"), out var lastConsumer)
            || !TryNumber(headers.Find("Nats-Last-Stream"), out var lastStream))
        {
            return false;
        }

        status = new PullStatus(number, headers.Code, headers.MessageText ?? "", lastConsumer, lastStream);
        return true;
    }

    private static bool TryNumber(string? text, out ulong number)
    {
        number = 0;
        return text is null || ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
