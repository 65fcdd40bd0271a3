using Telemetry.Model.Schemas;
using Telemetry.Processing;
using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Tests.Processing.Alerts;

/// <summary>Rules for the series of <see cref="Model.Samples"/>.</summary>
internal static class SampleRules
{
    /// <summary>Above 10, clear at 5, at once.</summary>
    public static AlertRule Hot(string metric = "temperature") => new()
    {
        Name = "hot",
        Severity = "critical",
        Match = On(metric),
        Side = AlertSide.Above,
        Threshold = 10,
        Clear = 5,
    };

    public static AlertMatch On(string metric) => new(NamePattern.Any, NamePattern.Any, new NamePattern(metric), []);

    public static ProcessorOptions With(params AlertRule[] rules) =>
        new() { Alerts = new AlertOptions { Rules = new AlertRules(rules) } };
}
