using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Corrections;

/// <summary>
/// Runs one rule again over the stored readings of one series, in the order of event time, from the beginning of its
/// gap until it has reached what is published, or the history goes on with the same state.
/// </summary>
/// <param name="watch">The rule and the series.</param>
/// <param name="gap">The gap when the run began.</param>
/// <param name="start">The state at the gap's beginning.</param>
/// <param name="watermark">The gateway's when the run began.</param>
/// <param name="instancesMax">The most closed instances that are kept; further ones are counted.</param>
internal sealed class RuleRun(AlertWatch watch, AlertGap gap, RuleState start, long watermark, int instancesMax)
{
    private readonly List<AlertInstance> _found = [];
    private readonly UInt128 _carried = start.Phase == AlertPhase.Firing ? start.Instance : 0;
    private readonly long _from = Math.Max(start.TimeMicros, gap.Checkpoint is null ? long.MinValue : gap.FromMicros);
    private RuleState _state = start;
    private RuleState? _atWatermark;
    private double _firingValue = start.Peak;
    private long _publishedThrough = long.MaxValue;

    public AlertWatch Watch => watch;

    /// <summary>Readings after this time are needed.</summary>
    public long FromMicros => _from;

    /// <summary>Readings through this time are needed: beyond what was evaluated if a retried one is newer.</summary>
    public long TargetMicros => Math.Max(watch.TimeMicros, gap.ToMicros);

    /// <summary>Instances that were not kept.</summary>
    public int Suppressed { get; private set; }

    /// <summary>Evaluates a reading; those of one series come in the order of time.</summary>
    public void Take(long timeMicros, double value)
    {
        // Readings that are newer than the published state are dated ahead: they were not evaluated either.
        if (timeMicros <= Math.Max(_from, _state.TimeMicros) || timeMicros > TargetMicros)
        {
            return;
        }

        if (timeMicros >= watermark)
        {
            _atWatermark ??= _state;
        }

        switch (RuleStep.Take(watch.Rule, watch.Id.Series, ref _state, timeMicros, value, out var measured))
        {
            case AlertChange.Fired:
                _firingValue = measured;
                break;
            case AlertChange.Resolved when _found.Count < instancesMax:
                _found.Add(Instance(timeMicros, measured));
                break;
            case AlertChange.Resolved:
                _publishedThrough = Math.Min(_publishedThrough, _found[^1].EndedMicros!.Value);
                Suppressed++;
                break;
        }
    }

    /// <summary>
    /// True when the run may end: the readings up to <paramref name="throughMicros"/> were taken, and it has reached
    /// the published state, or the gap is over and the history has the same state there.
    /// </summary>
    public bool IsComplete(long throughMicros, IEnumerable<AlertRow> recorded) => throughMicros >= TargetMicros
        || (throughMicros > gap.ToMicros && watermark > gap.ToMicros && RemembersTheSame && _state.Phase switch
        {
            // Only of an instance that began at the same time the peak is known without reading on.
            AlertPhase.Firing => recorded.Any(r => IsOpen(r) && r.BeganMicros == _state.StartedMicros),
            // Nor was anything pending there that fired later, or that still is.
            AlertPhase.Quiet => !recorded.Any(HasBegun)
                && (watch.State.Phase != AlertPhase.Pending || watch.StartedMicros > _state.TimeMicros),
            _ => false,
        });

    /// <summary>
    /// Ends the run: compares it with the history, and moves the watch to its state. What stays to be evaluated again
    /// after it begins at the watermark.
    /// </summary>
    public HistoryComparison End(long throughMicros, IEnumerable<AlertRow> recorded)
    {
        var comparison = new HistoryComparison(watch.Rule, watch.Id, History(Math.Min(throughMicros, TargetMicros)));
        comparison.Compare(recorded);
        var isAll = throughMicros >= TargetMicros;
        var state = !isAll ? watch.State
            : _state with { TimeMicros = Math.Max(watch.TimeMicros, _state.TimeMicros) };
        if (comparison.Open is { } open && state.Phase == AlertPhase.Firing && (isAll || open.EndedMicros is null))
        {
            state = state with
            {
                Instance = open.Id,
                StartedMicros = open.BeganMicros,
                FiredMicros = open.FiredMicros,
                Peak = isAll ? open.Peak : watch.Rule.Worst(state.Peak, open.Peak),
            };
        }

        var isOver = watermark > (watch.Gap ?? gap).ToMicros;
        watch.EndRun(state, isOver ? null : isAll ? Rest(_atWatermark ?? state, comparison) : watch.Gap ?? gap);
        return comparison;
    }

    // What is remembered is of after the gap, where the history had all readings too.
    private bool RemembersTheSame =>
        !watch.Rule.Measure.HasMemory || _state.Memory.TimeMicros > gap.ToMicros;

    private AlertGap Rest(RuleState state, HistoryComparison comparison)
    {
        if (state.Phase == AlertPhase.Firing && comparison.IdOf(state.StartedMicros) is { } id)
        {
            state = state with { Instance = id };
        }

        return (watch.Gap ?? gap) with
        {
            FromMicros = Math.Max(watermark - 1, _from),
            Checkpoint = new AlertCheckpoint(watch.Rule.Version, state.Plain()),
        };
    }

    private InOrderHistory History(long throughMicros)
    {
        IReadOnlyList<AlertInstance> found =
            _state.Phase == AlertPhase.Firing ? [.. _found, Instance(null, 0)] : _found;
        return new InOrderHistory(_carried, _from, throughMicros, found, _publishedThrough);
    }

    private AlertInstance Instance(long? ended, double value) => new(
        _state.Instance, _state.StartedMicros, _state.FiredMicros, _firingValue, ended, value, _state.Peak);

    private bool IsOpen(AlertRow row) => HasBegun(row) && row.FiredMicros <= _state.TimeMicros;

    private bool HasBegun(AlertRow row) => row.State != AlertInstanceState.Retracted
        && row.BeganMicros <= _state.TimeMicros && (row.EndedMicros is null || row.EndedMicros > _state.TimeMicros);
}
