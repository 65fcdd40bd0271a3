using Telemetry.Storage.Windows;

namespace Telemetry.Tests.Storage.Windows;

public sealed class WidthComparisonTests
{
    // 2026-12-01T00:00:30Z.
    private const long Now = 1_796_083_230_000_000, Minute = 60_000_000;

    private static readonly WindowWidth A = new(new("a"), 10, WindowWidth.Beginning), B = new(new("b"), 20, 0),
        C = new(new("c"), 30, 300_000_000);

    [Fact]
    public void Entries_behind_those_of_the_database_are_new()
    {
        Assert.Equal([A, B], WidthComparison.New(File(A, B), []));
        Assert.Equal([C], WidthComparison.New(File(A, B, C), [A, B]));
        Assert.Empty(WidthComparison.New(File(A, B), [A, B]));
        Assert.Empty(WidthComparison.New(File(), []));
    }

    [Fact]
    public void Changed_entry_is_refused_with_both()
    {
        var refused = Assert.Throws<WindowWidthException>(() =>
            WidthComparison.New(File(A, B with { WidthSeconds = 60 }, C), [A, B]));

        Assert.Equal(
            "windows.json: entry 2: was changed: the database has b 20 s from 1970-01-01T00:00:00Z, the file has "
            + "b 1 min from 1970-01-01T00:00:00Z; entries are never changed, so put back what the database has, and "
            + "add a new entry at the end of the file",
            Assert.Single(refused.Problems));
    }

    [Fact]
    public void Entries_in_another_order_are_changed_ones() => Assert.Contains(
        "entry 1: was changed: the database has a 10 s from the beginning, the file has b 20 s from 1970",
        Assert.Throws<WindowWidthException>(() => WidthComparison.New(File(B, A), [A, B])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Removed_entry_is_refused_with_what_the_database_has() => Assert.Equal(
        "windows.json: entry 2: was removed: the database has b 20 s from 1970-01-01T00:00:00Z; entries are never "
        + "removed, so add it again at this place",
        Assert.Throws<WindowWidthException>(() => WidthComparison.New(File(A), [A, B])).Message);

    [Fact]
    public void Every_time_is_allowed_while_nothing_was_folded_and_nobody_folds() =>
        Assert.Empty(Problems(new WidthLimits(Now, false, null), null, A, B, C));

    [Fact]
    public void New_entry_must_be_an_hour_ahead_once_there_are_windows()
    {
        var limits = new WidthLimits(Now, true, null);
        var first = Now - 30_000_000 + (65 * Minute);

        Assert.Empty(Problems(limits, null, C with { ValidFrom = first }));
        Assert.Equal(
            [
                "windows.json: entry 3: validFrom: '2026-12-01T01:00:00Z' is too early; use 2026-12-01T01:05:00Z or "
                + "later, as the database has windows, and its clock is at 2026-12-01T00:00:30Z and processors must "
                + "learn of a new entry an hour before it counts",
                "windows.json: entry 4: validFrom: is missing; use 2026-12-01T01:05:00Z or later, as the database has "
                + "windows, and its clock is at 2026-12-01T00:00:30Z and processors must learn of a new entry an hour "
                + "before it counts",
            ],
            Problems(limits, null, C with { ValidFrom = first - (5 * Minute) }, A));
    }

    [Fact]
    public void New_entry_must_be_an_hour_ahead_while_an_owner_may_fold() => Assert.Contains(
        "worker-1 stores readings now",
        Assert.Single(Problems(new WidthLimits(Now, false, "worker-1"), null, A)), StringComparison.Ordinal);

    [Fact]
    public void New_entry_must_be_an_hour_after_the_newest_window_of_its_metrics()
    {
        var limits = new WidthLimits(Now, true, null);
        var newest = new NewestWindow("gw-1", Now + (90 * Minute));

        Assert.Contains(
            "use 2026-12-01T02:35:00Z or later, as gateway gw-1 has windows of these metrics until "
            + "2026-12-01T01:30:30Z",
            Assert.Single(Problems(limits, newest, C with { ValidFrom = Now + (90 * Minute) })),
            StringComparison.Ordinal);
        Assert.Empty(Problems(limits, newest, C with { ValidFrom = Now - 30_000_000 + (155 * Minute) }));
        Assert.Empty(Problems(limits, newest with { End = Now - 1 }, C with { ValidFrom = Now + (65 * Minute) }));
    }

    private static IReadOnlyList<string> Problems(
        WidthLimits limits, NewestWindow? newest, params WindowWidth[] added) =>
        WidthComparison.Problems("windows.json", 3, added, limits, [.. added.Select(_ => newest)]);

    private static ConfiguredWidths File(params WindowWidth[] entries) => new("windows.json", entries);
}
