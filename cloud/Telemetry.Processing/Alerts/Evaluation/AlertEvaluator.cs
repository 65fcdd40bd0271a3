using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// Evaluates the readings of frames that are being stored, in event time, on the processor's thread. The state of each
/// pair of rule and series only moves forward: a reading that is not newer than the state is counted, and the rule is
/// run again from there later; newer readings of the same frame are evaluated. A reading dated too far ahead is counted
/// and not evaluated.
/// Null, bad and NaN readings are not evaluated; uncertain ones are.
/// </summary>
internal sealed class AlertEvaluator(AlertOptions options, AlertCounters counters, ILogger logger)
{
    /// <summary>How many pairs of a rule and a series are matched in the time that one reading takes.</summary>
    private const int PairsOfReading = 8;

    private readonly List<(GatewayId Gateway, AlertTransition Transition)> _transitions = [];
    private readonly List<AlertRow> _rows = [];
    private readonly List<AlertWatch> _opened = [];
    private readonly long _gapMicrosMin = options.GapMin.Ticks / TimeSpan.TicksPerMicrosecond;
    private readonly long _aheadMicrosMax = options.AheadMax.Ticks / TimeSpan.TicksPerMicrosecond;
    private AlertWatch[]?[]? _watches;
    private GatewayId _gateway;
    private GatewayAlerts _alerts = null!;
    private SeriesList _series = null!;
    private FrameKey _frame;
    private FrameArrival _arrival;
    private long _older, _promised, _gapAfter;

    /// <summary>The transitions that the current transaction publishes, in order.</summary>
    public IReadOnlyList<(GatewayId Gateway, AlertTransition Transition)> Transitions => _transitions;

    /// <summary>The rows of the history that the current transaction writes, in order.</summary>
    public IReadOnlyList<AlertRow> Rows => _rows;

    /// <summary>False when the current transaction may take no more messages.</summary>
    public bool Room => _transitions.Count < options.TransitionsPerCommitMax;

    /// <summary>A new transaction begins.</summary>
    public void Clear()
    {
        _transitions.Clear();
        _rows.Clear();
    }

    /// <summary>
    /// Adds everything to a commit; <paramref name="number"/> gives a transition its number of the partition's outbox.
    /// </summary>
    public void WriteTo(StoreCommit commit, Func<GatewayId, AlertTransition, AlertOutboxRow> number)
    {
        commit.Alerts.AddRange(_rows);
        foreach (var (gateway, transition) in _transitions)
        {
            commit.AlertOutbox.Add(number(gateway, transition));
        }
    }

    /// <summary>The transaction committed: the transitions that it published are counted.</summary>
    public void Committed()
    {
        foreach (var (_, transition) in _transitions)
        {
            counters.Firing += transition.Kind == AlertKind.Firing ? 1 : 0;
            counters.Resolved += transition.Kind == AlertKind.Resolved ? 1 : 0;
            counters.Revised += transition.Kind == AlertKind.Revised ? 1 : 0;
            counters.Retracted += transition.Kind == AlertKind.Retracted ? 1 : 0;
            counters.Late += transition.Late ? 1 : 0;
        }
    }

    /// <summary>
    /// Begins a frame; <see cref="End"/> ends it. Returns what the frame costs beyond its readings, in readings: the
    /// first frame with a list of series matches these series to the rules. <paramref name="promised"/> is the W of its
    /// promise, if it has one: older readings are in the sequences that the promise names.
    /// </summary>
    public int Begin(
        GatewayId gateway, GatewayAlerts alerts, SeriesList series, FrameKey frame, FrameArrival arrival,
        long? promised = null)
    {
        _watches = alerts.Of(series, options, out var matched, out var unwatched);
        if (unwatched > 0)
        {
            counters.Unwatched += unwatched;
            AlertLog.Unwatched(logger, gateway.Value, unwatched, options.WatchesMax);
        }

        (_gateway, _alerts, _series, _frame) = (gateway, alerts, series, frame);
        (_arrival, _older) = (arrival, 0);
        (_promised, _gapAfter) = promised is { } w ? (w, w + _gapMicrosMin) : (long.MaxValue, long.MaxValue);
        return (int)Math.Min(int.MaxValue / 2, (long)matched * options.Rules.All.Count / PairsOfReading);
    }

    /// <summary>Evaluates one reading that is stored; its series is given by its index.</summary>
    public void Take(int index, MetricType type, long timeMicros, ReadingFlags flags, ulong bits)
    {
        if (_watches?[index] is { } watches && RuleStep.TryValue(type, flags, bits, out var value))
        {
            if (timeMicros - _arrival.ReceivedAtMicros > _aheadMicrosMax)
            {
                counters.AheadReadings++;
                return;
            }

            foreach (var watch in watches)
            {
                Take(watch, index, timeMicros, value);
            }
        }
    }

    /// <summary>
    /// Adds what a run over stored readings corrects in the history; null for <paramref name="transition"/> if only the
    /// row changes.
    /// </summary>
    public void Correct(AlertRow row, AlertTransition? transition)
    {
        _rows.Add(row);
        if (transition is not null)
        {
            _transitions.Add((row.Gateway, transition));
        }
    }

    /// <summary>Ends the frame.</summary>
    public void End()
    {
        foreach (var watch in _opened)
        {
            if (watch.Held is { } held)
            {
                Publish(held);
            }

            (watch.Held, watch.Opened) = (null, 0);
        }

        _opened.Clear();
        _watches = null;
        counters.OlderReadings += _older;
        counters.OlderFrames += _older > 0 ? 1 : 0;
    }

    private void Take(AlertWatch watch, int index, long timeMicros, double value)
    {
        if (timeMicros <= watch.TimeMicros)
        {
            _older++;
            var isTaken = watch.Changed;
            if (watch.Miss(timeMicros) && !isTaken)
            {
                _alerts.Took(watch);
            }

            return;
        }

        if (!watch.Changed)
        {
            _alerts.Took(watch);
        }

        if (timeMicros > _gapAfter)
        {
            watch.BeginGap(_promised, timeMicros);
        }

        switch (watch.Take(timeMicros, value, out var measured))
        {
            case AlertChange.Fired:
                Fired(watch, Publication(watch, AlertKind.Firing, index, measured));
                break;
            case AlertChange.Resolved when watch.Held is not null:
                watch.Held = null;
                counters.Suppressed += 2;
                break;
            case AlertChange.Resolved:
                Publish(Publication(watch, AlertKind.Resolved, index, measured));
                break;
        }
    }

    private void Fired(AlertWatch watch, AlertPublication publication)
    {
        if (watch.Opened == 0)
        {
            _opened.Add(watch);
        }

        if (watch.Opened < options.InstancesPerFrameMax)
        {
            watch.Opened++;
            Publish(publication);
        }
        else
        {
            watch.Held = publication;
        }
    }

    private AlertPublication Publication(AlertWatch watch, AlertKind kind, int index, double value) =>
        AlertTransitions.OfReading(watch, kind, _series.Entries[index].Definition, value, _frame, _arrival);

    private void Publish(AlertPublication publication)
    {
        _transitions.Add((_gateway, publication.Transition));
        _rows.Add(publication.Row);
    }
}
