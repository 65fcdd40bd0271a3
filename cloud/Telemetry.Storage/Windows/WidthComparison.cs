namespace Telemetry.Storage.Windows;

/// <summary>What the database has that limits new entries.</summary>
/// <param name="Now">The database's clock, in microseconds since 1970 UTC.</param>
/// <param name="HasWindows">True when parts of windows are stored, or are in the memory of an owner.</param>
/// <param name="Owner">The owner of a partition, who may fold readings now; null when there is none.</param>
public sealed record WidthLimits(long Now, bool HasWindows, string? Owner)
{
    /// <summary>True when no reading was folded yet, and nobody folds one now: any time is allowed.</summary>
    public bool AllowsEveryTime => !HasWindows && Owner is null;
}

/// <summary>The newest stored window of the metrics of an entry, of those that end within a day from now.</summary>
/// <param name="Gateway">The gateway of its series.</param>
/// <param name="End">Its end, in microseconds since 1970 UTC.</param>
public sealed record NewestWindow(string Gateway, long End);

/// <summary>
/// Compares a windows file with the widths that the database has. These are only added to: the window of a reading must
/// be the same whenever it is folded. So the rows of the database must be the first entries of the file, and a new
/// entry must be valid from a time of which no reading is folded before every processor has learnt of it.
/// </summary>
public static class WidthComparison
{
    /// <summary>How far ahead a new entry must be. Processors read the widths again every minute.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    /// <summary>
    /// The entries of the file that the database does not have yet. Throws <see cref="WindowWidthException"/> when the
    /// rows of the database are not the first entries of the file.
    /// </summary>
    public static IReadOnlyList<WindowWidth> New(ConfiguredWidths file, IReadOnlyList<WindowWidth> rows)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            if (i >= file.Entries.Count)
            {
                throw new WindowWidthException(
                [
                    $"{file.File}: entry {i + 1}: was removed: the database has {rows[i]}; entries are never removed, "
                    + "so add it again at this place",
                ]);
            }

            if (file.Entries[i] != rows[i])
            {
                throw new WindowWidthException(
                [
                    $"{file.File}: entry {i + 1}: was changed: the database has {rows[i]}, the file has "
                    + $"{file.Entries[i]}; entries are never changed, so put back what the database has, and add a new "
                    + "entry at the end of the file",
                ]);
            }
        }

        return [.. file.Entries.Skip(rows.Count)];
    }

    /// <summary>
    /// What is wrong with the times of new entries, the first of which is entry <paramref name="first"/> of the file,
    /// counted from 1. <paramref name="newest"/> has the newest window of each.
    /// </summary>
    public static IReadOnlyList<string> Problems(
        string file, int first, IReadOnlyList<WindowWidth> added, WidthLimits limits,
        IReadOnlyList<NewestWindow?> newest)
    {
        var problems = new List<string>();
        for (var i = 0; i < added.Count && !limits.AllowsEveryTime; i++)
        {
            var window = newest[i] is { } seen && seen.End > limits.Now ? seen : null;
            var from = Allowed(window?.End ?? limits.Now);
            if (added[i].ValidFrom >= from)
            {
                continue;
            }

            var wrong = added[i].ValidFrom == WindowWidth.Beginning
                ? "is missing" : $"'{WindowWidth.Show(added[i].ValidFrom)}' is too early";
            var why = window is not null
                    ? $"gateway {window.Gateway} has windows of these metrics until {WindowWidth.Show(window.End)}"
                : limits.HasWindows ? $"the database has windows, and its clock is at {WindowWidth.Show(limits.Now)}"
                : $"{limits.Owner} stores readings now, and the database's clock is at {WindowWidth.Show(limits.Now)}";
            problems.Add(
                $"{file}: entry {first + i}: validFrom: {wrong}; use {WindowWidth.Show(from)} or later, as {why} and "
                + "processors must learn of a new entry an hour before it counts");
        }

        return problems;
    }

    // The first multiple of five minutes that is at least an hour later.
    private static long Allowed(long time)
    {
        var least = time + (Ahead.Ticks / TimeSpan.TicksPerMicrosecond);
        return (least + WindowWidths.ValidFromStep - 1) / WindowWidths.ValidFromStep * WindowWidths.ValidFromStep;
    }
}
