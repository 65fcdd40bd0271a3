namespace Telemetry.Storage.Windows;

/// <summary>
/// The widths of windows, by metric and event time. A reading takes the width that is valid at its own time: of those
/// whose pattern fits its metric, the one that is valid from the latest time; of two from the same time the later one
/// in the list. Widths are only added to, so that a reading's window never changes.
/// </summary>
public sealed class WindowWidths
{
    /// <summary>The width where no entry fits, in seconds.</summary>
    public const int DefaultSeconds = 60;

    /// <summary>The most metrics whose widths are remembered; beyond it all are looked up again.</summary>
    private const int MetricsMax = 10_000;

    private readonly Dictionary<string, Step[]> _steps = [];

    /// <summary>Throws when a width or a time is not allowed: windows would overlap.</summary>
    public WindowWidths(IEnumerable<WindowWidth> all)
    {
        All = [.. all];
        foreach (var width in All)
        {
            if (!Allowed.Contains(width.WidthSeconds)
                || (width.ValidFrom != WindowWidth.Beginning && width.ValidFrom % ValidFromStep != 0))
            {
                throw new ArgumentException($"windows would overlap by {width}", nameof(all));
            }
        }
    }

    /// <summary>Widths are valid from a multiple of this: five minutes, in microseconds since 1970 UTC.</summary>
    public const long ValidFromStep = 300 * WindowSpan.MicrosOfSecond;

    /// <summary>
    /// The widths that are allowed, in seconds: each divides five minutes, so that windows end with them.
    /// </summary>
    public static IReadOnlyList<int> Allowed { get; } = [1, 2, 3, 5, 10, 15, 20, 30, 60, 100, 150, 300];

    /// <summary>No entries: every window has the default width.</summary>
    public static WindowWidths None { get; } = new([]);

    /// <summary>The entries, in the order in which they were added.</summary>
    public IReadOnlyList<WindowWidth> All { get; }

    /// <summary>The window of a reading. Not safe for two threads at once.</summary>
    public WindowSpan Of(string metric, long time)
    {
        if (All.Count == 0)
        {
            return WindowSpan.Of(time, DefaultSeconds);
        }

        var steps = StepsOf(metric);
        var at = steps.Length - 1;
        while (steps[at].From > time)
        {
            at--;
        }

        return WindowSpan.Of(time, steps[at].WidthSeconds, steps[at].HasQuantiles);
    }

    private Step[] StepsOf(string metric)
    {
        if (_steps.TryGetValue(metric, out var known))
        {
            return known;
        }

        if (_steps.Count >= MetricsMax)
        {
            _steps.Clear();
        }

        var steps = new List<Step> { new(long.MinValue, DefaultSeconds, false) };
        foreach (var entry in All.Where(w => w.Metric.Fits(metric)).OrderBy(w => w.ValidFrom))
        {
            steps.Add(new Step(entry.ValidFrom, entry.WidthSeconds, entry.HasQuantiles));
        }

        return _steps[metric] = [.. steps];
    }

    private readonly record struct Step(long From, int WidthSeconds, bool HasQuantiles);
}
