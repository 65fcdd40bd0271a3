using System.Globalization;
using System.Text;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// Set after the database was restored: ids of records from one time on are skipped when they occur again, by every
/// relay that begins before another time. Both are in milliseconds since 1970 UTC.
/// </summary>
public readonly record struct DuplicateFilterWindow(long SinceMillis, long UntilMillis)
{
    /// <summary>Nothing is skipped.</summary>
    public static readonly DuplicateFilterWindow None;
}

/// <summary>How far a partition's outbox is published; kept in the sink and written with the records.</summary>
/// <param name="Head">The last row that was published or skipped, with its chain: if the database has an equal one, the
/// relay continues after it.</param>
/// <param name="Skipping">The ids to skip because the database was restored.</param>
public readonly record struct RelayPosition(AlertHead Head, DuplicateFilterWindow Skipping)
{
    /// <summary>The form in the position topic: <c>number chain since until</c>, the chain as 32 hex digits.</summary>
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
