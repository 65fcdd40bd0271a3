using Telemetry.Model.Identity;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>The text lines that describe a gateway's forks; docs/runbooks/forks.md explains each.</summary>
internal static class ForkLines
{
    private const int ShownMax = 4;

    /// <summary>
    /// Adds a fork to the row, where it stays until an operator explains it; the first four are kept. A fork that was
    /// explained is not added again, although its gateway continues to report it.
    /// </summary>
    public static GatewayRow Shown(GatewayRow row, string what)
    {
        var line = what.ReplaceLineEndings(" ");
        string[] shown = row.Fork.Length == 0 ? [] : row.Fork.Split('\n');
        return shown.Length < ShownMax && !shown.Contains(line) && !row.ForkResolved.Split('\n').Contains(line)
            ? row with { Fork = string.Join('\n', [.. shown, line]) }
            : row;
    }

    /// <summary>
    /// Forks where an epoch ends at other sequences than named before. Every hello or successor that names the end of
    /// an epoch names the same end, unless two copies of the outbox continued the epoch.
    /// </summary>
    public static IEnumerable<string> OfEnds(EpochLedger epoch, LaneLasts lasts)
    {
        for (var lane = Lane.Critical; epoch.NamedLasts is { } named && lane <= Lane.Backlog; lane++)
        {
            if (named[lane] != lasts[lane])
            {
                yield return $"lineage: {lane.Name()} of epoch {epoch.Epoch:x16} ends at "
                    + $"{Math.Min(named[lane], lasts[lane])} for one of two lives and at "
                    + $"{Math.Max(named[lane], lasts[lane])} for the other";
            }
        }
    }
}
