namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// How the gateway's own machine is measured. Keys: section <c>hostMetrics</c> of the agent's configuration.
/// </summary>
public sealed record HostMetricsOptions : IInputOptions
{
    /// <summary>How often. Default 10 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Within which time a measurement wants to be durable. Default 1 s.</summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The device that the readings are of. Default <c>host</c>.</summary>
    public string Device { get; init; } = "host";

    /// <summary>
    /// Where /proc and /sys are. Default <c>/</c>; another one where they are mounted elsewhere (containers, tests).
    /// </summary>
    public string Root { get; init; } = "/";

    public IInput Create(InputContext context) => new HostMetricsInput(this, context.Journal, context.Time);
}
