using System.Globalization;
using System.Text;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// The database was put back once: ids of records from a time on are skipped when they come again, by every relay that
/// begins until another time. Both in milliseconds since 1970 UTC.
/// </summary>
public readonly record struct DuplicateFilterWindow(long SinceMillis, long UntilMillis)
{
    /// <summary>Nothing is.</summary>
    public static readonly DuplicateFilterWindow None;
}

/// <summary>How far a partition's outbox is published; kept in the sink, written with the records.</summary>
/// <param name="Head">
/// The last row that was published or skipped, with its chain: an equal one in the database means "go on".
/// </param>
/// <param name="Skipping">What is skipped because the database was put back.</param>
public readonly record struct RelayPosition(AlertHead Head, DuplicateFilterWindow Skipping)
{
    /// <summary>As the position topic holds it: <c>number chain since until</c>, the chain as 32 hex digits.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Head.Number} {Head.Chain:x32} {Skipping.SinceMillis} {Skipping.UntilMillis}");

    /// <summary>Reads what <see cref="ToString"/> wrote, in UTF-8.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out RelayPosition position)
    {
        position = default;
        if (text.Length > 120)
        {
            return false;
        }

        var parts = Encoding.UTF8.GetString(text).Split(' ');
        if (parts.Length != 4
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || parts[1].Length != 32
            || !UInt128.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var chain)
            || !long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var since)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var until))
        {
            return false;
        }

        position = new RelayPosition(new AlertHead(number, chain), new DuplicateFilterWindow(since, until));
        return true;
    }
}
