using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges the windows at each commit: the parts of a window hold the readings that are stored of it, by number and hash
/// sum, except where the gateway's row says that its owner has parts in memory. A window that the watermark has passed
/// is never among those.
/// </summary>
internal sealed class WindowJudge(Findings findings)
{
    private readonly Dictionary<GatewayId, Dictionary<(SeriesIdentity, WindowSpan), Balance>> _differ = [];

    /// <summary>A commit happened; <paramref name="after"/> is the database with it.</summary>
    public void Committed(StoreCommit commit, SimulatedDatabase after)
    {
        var touched = commit.Gateways.Select(g => g.Gateway).ToHashSet();
        for (var row = 0; row < commit.Readings.Count; row++)
        {
            var (series, time) = (commit.Readings.Series[row], commit.Readings.Times[row]);
            touched.Add(series.Gateway);
            Add(series, WindowWidths.None.Of(series.Definition.Metric, time), 1, commit.Readings.HashOf(row));
        }

        foreach (var part in commit.Parts)
        {
            Add(part.Series, new WindowSpan(part.Start, part.WidthSeconds), -part.Count, 0 - part.HashSum);
        }

        foreach (var gateway in commit.RemovedParts.Select(r => r.Gateway).Distinct())
        {
            Look(gateway, after);
        }

        foreach (var gateway in touched)
        {
            Judge(gateway, after);
        }
    }

    /// <summary>Another database took the place of the present one.</summary>
    public void PutBack(SimulatedDatabase database)
    {
        _differ.Clear();
        foreach (var gateway in database.Gateways.Keys)
        {
            Look(gateway, database);
        }
    }

    private void Judge(GatewayId gateway, SimulatedDatabase database)
    {
        var row = database.Gateways.GetValueOrDefault(gateway);
        foreach (var ((series, window), balance) in _differ.GetValueOrDefault(gateway) ?? [])
        {
            if (row is null || !row.OpenWindows.Contains(window) || window.End <= row.Watermark)
            {
                findings.Add(
                    gateway, null,
                    $"the window of {series} from {window.Start}, {window.WidthSeconds} s, lacks {balance.Count} "
                    + $"readings (hash {balance.Hash:x16}); open are {row?.OpenWindows}, "
                    + $"the watermark is {row?.Watermark}");
            }
        }
    }

    private void Look(GatewayId gateway, SimulatedDatabase database)
    {
        _differ.Remove(gateway);
        var entries = new Dictionary<SeriesIdentity, SeriesEntry>();
        foreach (var part in database.Parts.Values.SelectMany(p => p).Where(p => p.Series.Gateway == gateway))
        {
            entries[part.Series.Identity] = part.Series;
            Add(part.Series, new WindowSpan(part.Start, part.WidthSeconds), -part.Count, 0 - part.HashSum);
        }

        var known = database.Schemas.Keys.Where(s => s.Gateway == gateway)
            .SelectMany(s => database.Schemas[s].Series())
            .Select(d => new SeriesEntry(gateway, d)).DistinctBy(e => e.Identity).ToDictionary(e => e.Identity);
        foreach (var reading in SimulatedDatabase.All(database.Readings))
        {
            if (known.TryGetValue(reading.Series, out var entry))
            {
                Add(entry, WindowWidths.None.Of(entry.Definition.Metric, reading.Time), 1, reading.Hash);
            }
        }
    }

    private void Add(SeriesEntry series, WindowSpan window, int count, ulong hash)
    {
        if (!_differ.TryGetValue(series.Gateway, out var differ))
        {
            _differ[series.Gateway] = differ = [];
        }

        var key = (series.Identity, window);
        var balance = differ.GetValueOrDefault(key);
        balance = new Balance(balance.Count + count, balance.Hash + hash);
        if (balance == default)
        {
            differ.Remove(key);
        }
        else
        {
            differ[key] = balance;
        }
    }

    private readonly record struct Balance(int Count, ulong Hash);
}
