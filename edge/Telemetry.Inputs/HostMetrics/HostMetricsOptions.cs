namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// How the gateway's own machine is measured. Keys: section <c>hostMetrics</c> of the agent's configuration.
/// </summary>
public sealed record HostMetricsOptions
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

    /// <summary>What is wrong, by the key's name; empty when nothing is.</summary>
    public IEnumerable<string> Problems()
    {
        if (Interval < TimeSpan.FromMilliseconds(100) || Interval > TimeSpan.FromHours(24))
        {
            yield return $"interval: {Interval} is not within 100 ms to 24 h";
        }

        if (CommitDeadline < TimeSpan.Zero || CommitDeadline > TimeSpan.FromMinutes(1))
        {
            yield return $"commitDeadline: {CommitDeadline} is not within 0 to 1 min";
        }

        if (Device.Length is 0 or > 64)
        {
            yield return $"device: '{Device}' is not of 1 to 64 characters";
        }
    }
}
