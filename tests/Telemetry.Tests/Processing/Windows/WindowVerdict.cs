using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Windows;

namespace Telemetry.Tests.Processing.Windows;

/// <summary>
/// Compares the parts of windows with a plain computation from the stored readings: at each commit those that are not
/// in memory alone, at the end all of them.
/// </summary>
internal sealed class WindowVerdict(WindowWidths widths, IReadOnlyList<SeriesEntry> series)
{
    private readonly Dictionary<SeriesIdentity, SeriesEntry> _series = series.ToDictionary(s => s.Identity);

    /// <summary>What was wrong at a commit.</summary>
    public List<string> Findings { get; } = [];

    /// <summary>Parts of complete windows, and parts that a change of owner removed.</summary>
    public (int Revisions, int Rebuilt, int Parts, int Recovered) Seen { get; private set; }

    public void Committed(StoreCommit commit, SimulatedDatabase before, SimulatedDatabase after)
    {
        if (commit.IsEmpty)
        {
            return;
        }

        var late = commit.Parts.Where(p => p.IsLate).ToHashSet();
        Seen = (Seen.Revisions + late.Count, Seen.Rebuilt + commit.RemovedParts.Count, Seen.Parts + commit.Parts.Count,
            Seen.Recovered + commit.Revisions.Count(r => r.Cause == RevisionCause.Recovered));
        if (!late.SetEquals(commit.Revisions.Select(r => r.Part)))
        {
            Findings.Add("the revisions are not those of the late parts");
        }

        foreach (var part in commit.Parts)
        {
            var complete = before.Gateways.GetValueOrDefault(part.Series.Gateway) is { } row
                && row.Watermark != long.MinValue
                && row.Watermark >= part.End + part.Series.Definition.ExtraLatenessMicros;
            if (part.IsLate != complete)
            {
                Findings.Add($"a part of {part.Series.Definition.Metric} from {part.Start} is late: {part.IsLate}");
            }
        }

        Findings.AddRange(Differences(after, isEnd: false));
    }

    /// <summary>Everything has arrived and every window is complete: says what differs.</summary>
    public IEnumerable<string> AtTheEnd(SimulatedDatabase content) => Differences(content, isEnd: true).Concat(
        content.Gateways.Values.Where(g => !g.OpenWindows.IsEmpty)
            .Select(g => $"{g.Gateway} has windows in memory alone"))
        .Concat(SimulatedDatabase.All(content.Readings)
            .Where(r => content.Gateways[_series[r.Series].Gateway].Watermark < r.Time)
            .Select(r => $"the watermark has not passed the reading at {r.Time}").Take(1));

    private IEnumerable<string> Differences(SimulatedDatabase content, bool isEnd)
    {
        var parts = content.Parts.Values.SelectMany(p => p)
            .ToLookup(p => (p.Series.Identity, new WindowSpan(p.Start, p.WidthSeconds)));
        var windows = SimulatedDatabase.All(content.Readings).ToLookup(
            r => (r.Series, widths.Of(_series[r.Series].Definition.Metric, r.Time) with { HasQuantiles = false }));
        foreach (var (identity, span) in parts.Select(p => p.Key).Union(windows.Select(w => w.Key)))
        {
            var entry = _series[identity];
            var row = content.Gateways.GetValueOrDefault(entry.Gateway);
            if (!isEnd && row is not null && row.OpenWindows.Contains(span) && row.Watermark < span.End)
            {
                continue;
            }

            var hasQuantiles = widths.Of(entry.Definition.Metric, span.Start).HasQuantiles;
            var merged = new WindowPart().Begin(entry, span with { HasQuantiles = hasQuantiles });
            foreach (var part in parts[(identity, span)])
            {
                merged.Merge(part);
            }

            var plain = new PlainWindow(entry.Type, windows[(identity, span)].Select(
                r => new PlainReading(r.Time, r.Flags, r.Type == MetricType.Text ? 0 : r.Bits, r.Hash)));
            if (hasQuantiles && merged.HasNumbers && merged.Sketch is null)
            {
                yield return $"a window of {entry.Definition.Metric} from {span.Start} has no counts by size";
            }

            if (plain.Differences(merged) is { Length: > 0 } differences)
            {
                yield return $"{entry.Gateway}, {entry.Definition.Metric} from {span.Start}, {span.WidthSeconds} s, of "
                    + $"{parts[(identity, span)].Count()} parts: {differences}";
            }
        }
    }
}
