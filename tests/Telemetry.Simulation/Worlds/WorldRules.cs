using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// The rules of every world, so chosen that a generator's random values make transitions of all of them: floats have
/// random bits, whole numbers lie anywhere below 2^63.
/// </summary>
internal static class WorldRules
{
    /// <summary>The check evaluates without frames, so nothing is suppressed.</summary>
    public static readonly AlertOptions Options = new()
    {
        Rules = new AlertRules(
        [
            Rule("float", "metric-0", AlertSide.Above, 1, 1e-50),
            Rule(
                "odd", "metric-*", AlertSide.Above, 6e18, 3e18,
                device: "device-1") with { For = TimeSpan.FromSeconds(3) },
            Rule("flag", "*-3", AlertSide.Above, 0.5, 0.5) with { Late = TimeSpan.FromSeconds(2) },
            Rule("low", "metric-2", AlertSide.Below, 3e18, 5e18),
        ]),
        InstancesPerFrameMax = int.MaxValue,
        InstancesPerRunMax = int.MaxValue,
        GapMin = TimeSpan.FromSeconds(5),
        AheadMax = TimeSpan.FromDays(3650),
    };

    private static AlertRule Rule(
        string name, string metric, AlertSide side, double threshold, double clear, string device = "*") => new()
        {
            Name = name,
            Severity = "warning",
            Match = new AlertMatch(NamePattern.Any, new NamePattern(device), new NamePattern(metric), []),
            Side = side,
            Threshold = threshold,
            Clear = clear,
        };
}
