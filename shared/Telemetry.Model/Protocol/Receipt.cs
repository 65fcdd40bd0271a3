using System.Globalization;

namespace Telemetry.Model.Protocol;

/// <summary>
/// The place of a frame in the log: the stream and the sequence, as the ingress reports it. It means "do not send it
/// again now", never "stored". It is a user property of the PUBACK: name <c>receipt</c>, value <c>live:12345</c> or
/// <c>backlog:12345</c>.
/// </summary>
public readonly record struct Receipt(StreamKind Stream, long Sequence)
{
    /// <summary>The user property's name.</summary>
    public const string PropertyName = "receipt";

    /// <summary>The user property's value.</summary>
    public string PropertyValue => $"{(Stream == StreamKind.Live ? "live" : "backlog")}:{Sequence}";

    /// <summary>Parses a user property's value; false when it is not a receipt.</summary>
    public static bool TryParse(string? value, out Receipt receipt)
    {
        receipt = default;
        var colon = value?.IndexOf(':') ?? -1;
        if (colon < 0
            || !long.TryParse(
                value.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            return false;
        }

        var name = value.AsSpan(0, colon);
        receipt = new Receipt(name is "backlog" ? StreamKind.Backlog : StreamKind.Live, sequence);
        return sequence > 0 && name is "live" or "backlog";
    }
}
