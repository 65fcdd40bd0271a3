using System.Globalization;
using System.Text;

namespace Telemetry.Cloud.Alerts.Relay;

/// <summary>How far a partition's outbox is published; kept in the sink, written with the records.</summary>
/// <param name="Head">The last row that was published or skipped, with its chain: an equal one in the database means "go on".</param>
/// <param name="SinceMillis">
/// The database was put back once: ids of records from this time on (milliseconds since 1970 UTC) are skipped when they come
/// again, by every relay that begins. 0: never.
/// </param>
public readonly record struct RelayPosition(AlertHead Head, long SinceMillis)
{
    /// <summary>As the position topic holds it: <c>number chain since</c>, the chain as 32 hex digits.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Head.Number} {Head.Chain:x32} {SinceMillis}");

    /// <summary>Reads what <see cref="ToString"/> wrote, in UTF-8.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out RelayPosition position)
    {
        position = default;
        if (text.Length > 80)
        {
            return false;
        }

        var parts = Encoding.UTF8.GetString(text).Split(' ');
        if (parts.Length != 3
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || parts[1].Length != 32
            || !UInt128.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var chain)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var since))
        {
            return false;
        }

        position = new RelayPosition(new AlertHead(number, chain), since);
        return true;
    }
}
