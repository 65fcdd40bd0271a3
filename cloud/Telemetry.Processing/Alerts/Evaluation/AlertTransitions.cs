using System.Globalization;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>Makes the transitions that are published.</summary>
internal static class AlertTransitions
{
    /// <summary>The transition that a reading of a frame made, and the row of its instance.</summary>
    public static AlertPublication OfReading(
        AlertWatch watch, AlertKind kind, SeriesDefinition series, double value, FrameKey frame, FrameArrival arrival)
    {
        var (rule, state, gateway) = (watch.Rule, watch.State, watch.Id.Gateway);
        var delay = arrival.DelayOf(watch.TimeMicros, frame.Lane);
        var isLate = arrival.IsLate || delay > rule.LateMicros;
        var row = new AlertRow(
            watch.Instance, watch.Id, rule.Version, rule.Severity,
            kind == AlertKind.Firing ? AlertInstanceState.Firing : AlertInstanceState.Resolved, state.StartedMicros,
            state.FiredMicros, kind == AlertKind.Firing ? null : state.TimeMicros, state.Peak)
        {
            NamedMicros = state.StartedMicros,
            IsLate = isLate,
            DelayMicros = delay,
        };
        var transition = Of(row, rule, series, kind, watch.TimeMicros, value) with
        {
            Late = isLate,
            DetectionDelayMicros = delay,
            Frame = $"{gateway}/{frame}",
            TraceParent = FrameTrace.Of(gateway, frame).TraceParent,
        };
        return new AlertPublication(transition, row);
    }

    /// <summary>
    /// A transition that was found by running a rule again; always late. Firing and resolved have the ids that they
    /// have if their readings come in order.
    /// </summary>
    public static AlertTransition OfCorrection(
        AlertRow row, AlertRule rule, SeriesDefinition series, AlertKind kind, long timeMicros, double value, int again,
        long watermark)
    {
        var transition = Of(row, rule, series, kind, timeMicros, value) with
        {
            Late = true,
            DetectionDelayMicros = Math.Max(0, watermark - timeMicros),
        };
        return kind is AlertKind.Firing or AlertKind.Resolved ? transition : transition with
        {
            Id = Text(AlertIds.Correction(rule.Name, rule.Version, kind, row, again)),
            Revision = row.Revision,
            FiredMicros = row.FiredMicros,
            EndedMicros = row.EndedMicros,
        };
    }

    private static AlertTransition Of(
        AlertRow row, AlertRule rule, SeriesDefinition series, AlertKind kind, long timeMicros, double value) => new()
        {
            Id = Text(AlertIds.Transition(rule.Name, rule.Version, row.Id, kind, timeMicros, revision: 0)),
            Instance = Text(row.Id),
            Rule = rule.Name,
            RuleVersion = rule.Version.ToString("x16", CultureInfo.InvariantCulture),
            Kind = kind,
            Severity = rule.Severity,
            Gateway = row.Gateway.Value,
            Device = series.Device,
            Metric = series.Metric,
            Labels = new SortedDictionary<string, string>(
                series.Labels.ToDictionary(l => l.Key, l => l.Value), StringComparer.Ordinal),
            SeriesKey = row.Series.ToString(),
            TimeMicros = timeMicros,
            StartedMicros = row.BeganMicros,
            Value = value,
            Threshold = kind == AlertKind.Resolved ? rule.Clear : rule.Threshold,
            Frame = "",
            TraceParent = "",
        };

    private static string Text(UInt128 id) => id.ToString("x32", CultureInfo.InvariantCulture);
}
