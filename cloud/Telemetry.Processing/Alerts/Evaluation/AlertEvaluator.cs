using System.Globalization;
using Microsoft.Extensions.Logging;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// Evaluates the readings of frames that are being stored, in event time, on the processor's thread. The state of each
/// pair of rule and series only moves forward: a reading that is not newer than the state is counted and does not
/// change it, while newer readings of the same frame do. A reading dated too far ahead is counted and not evaluated.
/// Null, bad and NaN readings are not evaluated; uncertain ones are.
/// </summary>
internal sealed class AlertEvaluator(AlertOptions options, AlertCounters counters, ILogger logger)
{
    /// <summary>How many pairs of a rule and a series are matched in the time that one reading takes.</summary>
    private const int PairsOfReading = 8;

    private readonly List<(GatewayId Gateway, AlertTransition Transition)> _transitions = [];
    private readonly List<AlertWatch> _opened = [];
    private readonly long _aheadMicrosMax = options.AheadMax.Ticks / TimeSpan.TicksPerMicrosecond;
    private AlertWatch[]?[]? _watches;
    private GatewayId _gateway;
    private GatewayAlerts _alerts = null!;
    private SeriesList _series = null!;
    private FrameKey _frame;
    private FrameArrival _arrival;
    private long _older;

    /// <summary>The transitions that the current transaction publishes, in order.</summary>
    public IReadOnlyList<(GatewayId Gateway, AlertTransition Transition)> Transitions => _transitions;

    /// <summary>False when the current transaction may take no more messages.</summary>
    public bool Room => _transitions.Count < options.TransitionsPerCommitMax;

    /// <summary>A new transaction begins.</summary>
    public void Clear() => _transitions.Clear();

    /// <summary>The transaction committed: the transitions that it published are counted.</summary>
    public void Committed()
    {
        foreach (var (_, transition) in _transitions)
        {
            counters.Firing += transition.Kind == AlertKind.Firing ? 1 : 0;
            counters.Resolved += transition.Kind == AlertKind.Resolved ? 1 : 0;
            counters.Late += transition.Late ? 1 : 0;
        }
    }

    /// <summary>
    /// Begins a frame; <see cref="End"/> ends it. Returns what the frame costs beyond its readings, in readings: the
    /// first frame with a list of series matches these series to the rules.
    /// </summary>
    public int Begin(
        GatewayId gateway, GatewayAlerts alerts, SeriesList series, FrameKey frame, FrameArrival arrival)
    {
        _watches = alerts.Of(series, options, out var matched, out var unwatched);
        if (unwatched > 0)
        {
            counters.Unwatched += unwatched;
            AlertLog.Unwatched(logger, gateway.Value, unwatched, options.WatchesMax);
        }

        (_gateway, _alerts, _series, _frame) = (gateway, alerts, series, frame);
        (_arrival, _older) = (arrival, 0);
        return (int)Math.Min(int.MaxValue / 2, (long)matched * options.Rules.All.Count / PairsOfReading);
    }

    /// <summary>True when a rule watches the series of the frame with this index.</summary>
    public bool Watches(int index) => _watches?[index] is not null;

    /// <summary>Evaluates one reading that is stored; its series is given by its index.</summary>
    public void Take(int index, MetricType type, long timeMicros, ReadingFlags flags, ulong bits)
    {
        if (_watches?[index] is { } watches && (flags & ReadingFlags.Null) == 0
            && (Quality)(flags & ReadingFlags.QualityMask) < Quality.Bad && Value(type, bits) is var value
            && !double.IsNaN(value))
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

    /// <summary>Ends the frame.</summary>
    public void End()
    {
        foreach (var watch in _opened)
        {
            if (watch.Held is { } held)
            {
                _transitions.Add((_gateway, held));
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
            return;
        }

        if (!watch.Changed)
        {
            _alerts.Took(watch);
        }

        switch (watch.Take(timeMicros, value))
        {
            case AlertChange.Fired:
                Fired(watch, Transition(watch, AlertKind.Firing, index, value));
                break;
            case AlertChange.Resolved when watch.Held is not null:
                watch.Held = null;
                counters.Suppressed += 2;
                break;
            case AlertChange.Resolved:
                _transitions.Add((_gateway, Transition(watch, AlertKind.Resolved, index, value)));
                break;
        }
    }

    private void Fired(AlertWatch watch, AlertTransition transition)
    {
        if (watch.Opened == 0)
        {
            _opened.Add(watch);
        }

        if (watch.Opened < options.InstancesPerFrameMax)
        {
            watch.Opened++;
            _transitions.Add((_gateway, transition));
        }
        else
        {
            watch.Held = transition;
        }
    }

    private AlertTransition Transition(AlertWatch watch, AlertKind kind, int index, double value)
    {
        var (rule, series) = (watch.Rule, _series.Entries[index].Definition);
        var id = AlertIds.Transition(rule.Name, rule.Version, watch.Instance, kind, watch.TimeMicros, revision: 0);
        var delay = _arrival.DelayOf(watch.TimeMicros, _frame.Lane);
        return new AlertTransition
        {
            Id = id.ToString("x32", CultureInfo.InvariantCulture),
            Instance = watch.Instance.ToString("x32", CultureInfo.InvariantCulture),
            Rule = rule.Name,
            RuleVersion = rule.Version.ToString("x16", CultureInfo.InvariantCulture),
            Kind = kind,
            Severity = rule.Severity,
            Gateway = _gateway.Value,
            Device = series.Device,
            Metric = series.Metric,
            Labels = new SortedDictionary<string, string>(
                series.Labels.ToDictionary(l => l.Key, l => l.Value), StringComparer.Ordinal),
            SeriesKey = watch.Id.Series.ToString(),
            TimeMicros = watch.TimeMicros,
            StartedMicros = watch.StartedMicros,
            Value = value,
            Threshold = kind == AlertKind.Firing ? rule.Threshold : rule.Clear,
            Late = _arrival.IsLate || delay > rule.LateMicros,
            DetectionDelayMicros = delay,
            Frame = $"{_gateway}/{_frame}",
            TraceParent = FrameTrace.Of(_gateway, _frame).TraceParent,
        };
    }

    private static double Value(MetricType type, ulong bits) => type switch
    {
        MetricType.Float => BitConverter.UInt64BitsToDouble(bits),
        MetricType.Int => (long)bits,
        _ => bits,
    };
}
