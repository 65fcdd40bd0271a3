using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>
/// Runs the rules of one gateway again whose gaps are due, over its stored readings, step by step. Nothing of it is
/// published before the last step of a rule; if the gateway's memory is discarded before, it begins anew.
/// </summary>
internal sealed class GatewayRun
{
    private readonly AlertOptions _options;
    private readonly List<RuleRun> _runs;
    private readonly Dictionary<SeriesIdentity, RuleRun[]> _bySeries;

    public GatewayRun(
        IEnumerable<AlertWatch> due, IReadOnlyList<AlertRow> recorded, long watermark, AlertOptions options)
    {
        (_options, Watermark) = (options, watermark);
        var rows = recorded.ToLookup(r => r.Of);
        _runs = [.. due.Select(watch => Begin(watch, [.. rows[watch.Id]], watermark, options))];
        _bySeries = _runs.GroupBy(r => r.Watch.Id.Series).ToDictionary(g => g.Key, g => g.ToArray());
        Cursor = _runs.Min(r => r.FromMicros);
    }

    /// <summary>The gateway's watermark when it began.</summary>
    public long Watermark { get; }

    /// <summary>The readings up to this time were taken.</summary>
    public long Cursor { get; private set; }

    /// <summary>The readings up to this time are needed.</summary>
    public long Target => _runs.Max(r => r.TargetMicros);

    /// <summary>How much event time is read at once; whoever reads adapts it to how dense the readings are.</summary>
    public long SpanMicros { get; set; } = 60_000_000;

    public bool IsOver => _runs.Count == 0;

    /// <summary>Instances that were found and not published.</summary>
    public int Suppressed { get; private set; }

    /// <summary>The series whose readings are needed.</summary>
    public IEnumerable<SeriesIdentity> Series => _runs.Select(r => r.Watch.Id.Series).Distinct();

    /// <summary>From when on the history must be known.</summary>
    public long HistoryFrom => _runs.Min(r => r.FromMicros);

    /// <summary>From when on the history must be known to begin.</summary>
    public static long HistoryNeeded(IEnumerable<AlertWatch> due, AlertOptions options) =>
        due.Min(watch => watch.Gap!.Value is { Checkpoint: null } gap ? LookBack(watch, gap, options)
            : watch.Gap!.Value.FromMicros);

    /// <summary>Takes the readings from the cursor to <paramref name="throughMicros"/>, in the order of time.</summary>
    public void Take(ReadingBuffer rows, long throughMicros)
    {
        for (var row = 0; row < rows.Count && rows.Times[row] <= throughMicros; row++)
        {
            var series = rows.Series[row];
            if (_bySeries.TryGetValue(series.Identity, out var runs)
                && RuleStep.TryValue(series.Type, rows.Flags[row], rows.Bits[row], out var value))
            {
                foreach (var run in runs)
                {
                    run.Take(rows.Times[row], value);
                }
            }
        }

        Cursor = throughMicros;
    }

    /// <summary>Ends what is complete, as the history is now; returns the differences.</summary>
    public IEnumerable<(AlertWatch Watch, IReadOnlyList<AlertCorrection> Corrections)> End(
        IReadOnlyList<AlertRow> recorded)
    {
        var all = recorded.ToLookup(r => r.Of);
        foreach (var run in _runs.ToArray())
        {
            var rows = all[run.Watch.Id];
            if (run.IsComplete(Cursor, rows))
            {
                _runs.Remove(run);
                Suppressed += run.Suppressed;
                yield return (run.Watch, run.End(Cursor, rows).Corrections);
            }
        }
    }

    private static RuleRun Begin(AlertWatch watch, List<AlertRow> recorded, long watermark, AlertOptions options)
    {
        watch.BeginRun();
        var gap = watch.Gap!.Value;
        var start = gap.Checkpoint is { } checkpoint
            ? RuleStep.Load(watch.Rule, checkpoint.RuleVersion, checkpoint.State)
            : Before(watch, gap, recorded, options);
        return new RuleRun(watch, gap, start, watermark, options.InstancesPerRunMax);
    }

    /// <summary>The state before a gap without a checkpoint, by the history.</summary>
    private static RuleState Before(AlertWatch watch, AlertGap gap, List<AlertRow> recorded, AlertOptions options)
    {
        if (watch.TimeMicros <= gap.FromMicros)
        {
            return watch.State.Plain();
        }

        var from = LookBack(watch, gap, options);
        var rows = recorded.FindAll(r => r.State != AlertInstanceState.Retracted && r.FiredMicros <= gap.FromMicros);
        if (rows.Find(r => r.BeganMicros <= from && (r.EndedMicros is null || r.EndedMicros > from)) is { } open)
        {
            var isFiring = open.FiredMicros <= from;
            // From its beginning, if that is near: its peak before the gap is not known.
            return !watch.Rule.Measure.HasMemory && (!isFiring || open.BeganMicros > from - Micros(options.LookBack))
                ? RuleState.QuietAt(open.BeganMicros - 1)
                : new RuleState(
                    isFiring ? AlertPhase.Firing : AlertPhase.Pending, open.Id, open.BeganMicros, open.FiredMicros,
                    open.Peak, from)
                {
                    Memory = new MeasureMemory(open.BeganMicros, double.NaN),
                }.Plain();
        }

        var ended = rows.Where(r => r.EndedMicros <= gap.FromMicros).Select(r => r.EndedMicros!.Value)
            .DefaultIfEmpty(long.MinValue).Max();
        return RuleState.QuietAt(watch.Rule.Measure.HasMemory ? from : Math.Max(ended, from));
    }

    private static long LookBack(AlertWatch watch, AlertGap gap, AlertOptions options) =>
        watch.Rule.ForMicros == 0 && !watch.Rule.Measure.HasMemory ? gap.FromMicros
            : gap.FromMicros - watch.Rule.ForMicros - Micros(watch.Rule.Measure.Reach) - Micros(options.LookBack);

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
