using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Corrections;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Alerts.Corrections;

/// <summary>
/// Runs a schedule through the evaluator, as a partition's owner does: each transaction first runs rules again whose
/// gap is due, in steps of random length, then takes frames. Now and then the owner changes, and all that is known
/// comes back from rows.
/// </summary>
internal sealed class ScheduleRun
{
    private readonly Random _random;
    private readonly AlertOptions _options;
    private readonly AlertEvaluator _evaluator;
    private readonly SeriesList _series = Samples.Series();
    private readonly List<ArrivingReading> _stored = [];
    private readonly Dictionary<AlertStateId, AlertStateRow> _states = [];
    private readonly StoreCommit _commit = new();
    private GatewayAlerts _alerts;
    private GatewayRun? _run;
    private int _noted;
    private long _sequence, _watermark = long.MinValue;

    public ScheduleRun(AlertRule rule, int seed)
    {
        _random = new Random(seed);
        _options = SampleRules.With(rule).Alerts with { GapStep = TimeSpan.FromMinutes(2) };
        _evaluator = new AlertEvaluator(_options, new AlertCounters(), NullLogger.Instance);
        _alerts = Loaded();
    }

    /// <summary>All transitions, each with when the frame arrived that made it.</summary>
    public List<(AlertTransition Transition, long At)> Published { get; } = [];

    /// <summary>The history at the end.</summary>
    public Dictionary<UInt128, AlertRow> History { get; } = [];

    /// <summary>What happened, for people.</summary>
    public List<string> Story { get; } = [];

    /// <summary>How many gaps were evaluated again.</summary>
    public int Runs { get; private set; }

    /// <summary>The state at the end.</summary>
    public AlertStateRow? State => _states.Values.SingleOrDefault();

    public void Take(IReadOnlyList<ArrivingFrame> frames)
    {
        for (var i = 0; i < frames.Count;)
        {
            Step();
            for (var n = 1 + _random.Next(3); n > 0 && i < frames.Count; n--)
            {
                Take(frames[i++]);
            }

            Commit();
        }

        _watermark = long.MaxValue;
        for (var n = 0; n < 1000 && (_run is not null || _alerts.HasGaps); n++)
        {
            Step();
            Commit();
        }
    }

    private GatewayAlerts Loaded() => new(
        new GatewayRecord(null, Samples.Gateway, [], [], [], [], [.. _states.Values]));

    private void Take(ArrivingFrame frame)
    {
        var key = new FrameKey(9, frame.Lane, ++_sequence, frame.Readings.Count);
        _evaluator.Begin(
            Samples.Gateway, _alerts, _series, key, new FrameArrival(frame.At, frame.At, 0, false), frame.Promised);
        foreach (var reading in frame.Readings)
        {
            _evaluator.Take(
                0, MetricType.Float, reading.Time, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(reading.Value));
            _stored.Add(reading);
        }

        _evaluator.End();
        Story.Add(
            $"{frame.Lane} {string.Join(' ', frame.Readings.Select(r => (r.Time, r.Value)))}, W {frame.Promised}");
        Note(frame.At);
        _watermark = Math.Max(_watermark, frame.Promised ?? long.MinValue);
    }

    // Readings of the current transaction are not stored yet when it begins.
    private void Step()
    {
        if (_run is null && _alerts.FindDue(_watermark, _options) is { Count: > 0 } due)
        {
            Story.Add($"begins at {_watermark}: {string.Join(' ', due.Select(w => (w.Gap, w.State)))}");
            _run = new GatewayRun(due, Recorded(GatewayRun.HistoryNeeded(due, _options)), _watermark, _options);
        }

        if (_run is not { } run)
        {
            return;
        }

        var (rows, target) = (new ReadingBuffer(), run.Target);
        var through = _random.Next(3) > 0 ? target
            : Math.Min(target, run.Cursor + 1 + _random.NextInt64(5 * ArrivalSchedule.Minute));
        foreach (var reading in _stored.Where(r => r.Time > run.Cursor && r.Time <= through).OrderBy(r => r.Time))
        {
            rows.Add(
                _series.Entries[0], reading.Time, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(reading.Value));
        }

        run.Take(rows, through);
        foreach (var (watch, corrections) in run.End(Recorded(run.HistoryFrom)))
        {
            Runs++;
            _alerts.Took(watch);
            Story.Add($"run to {run.Cursor}: {watch.State}, {watch.Gap}");
            foreach (var correction in corrections)
            {
                _evaluator.Correct(correction, watch, _series.Entries[0].Definition, run.Watermark);
            }
        }

        Note(long.MaxValue);

        _run = run.IsOver ? null : run;
        _alerts.WriteChanges(_commit);
    }

    private void Note(long at)
    {
        Published.AddRange(_evaluator.Transitions.Skip(_noted).Select(t => (t.Transition, at)));
        Story.AddRange(_evaluator.Transitions.Skip(_noted).Select(t => $"{t.Transition}"));
        _noted = _evaluator.Transitions.Count;
    }

    private List<AlertRow> Recorded(long since) => [.. History.Values.Where(
        a => a.State == AlertInstanceState.Firing || Math.Max(a.EndedMicros ?? a.FiredMicros, a.NamedMicros) >= since)];

    private void Commit()
    {
        _alerts.WriteChanges(_commit);
        foreach (var row in _commit.AlertStates)
        {
            _states[row.Id] = row;
        }

        foreach (var row in _evaluator.Rows)
        {
            History[row.Id] = History.TryGetValue(row.Id, out var before) ? before.Then(row) : row;
        }

        _commit.Clear();
        _evaluator.Clear();
        _noted = 0;
        if (_random.Next(8) == 0)
        {
            (_alerts, _run) = (Loaded(), null);
        }
    }
}
