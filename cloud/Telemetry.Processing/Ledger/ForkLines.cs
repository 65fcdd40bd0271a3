using Telemetry.Model.Identity;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>The lines that say which forks a gateway has; docs/forks.md explains each.</summary>
internal static class ForkLines
{
    private const int ShownMax = 4;

    /// <summary>
    /// Shows a fork until an operator explains it; the first four stay. One that was explained is not shown again,
    /// though its gateway goes on to tell it.
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
    /// Where an epoch is said to end elsewhere than before. Whoever says that it has ended says the same end, unless
    /// two lives of the outbox went on in it.
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
