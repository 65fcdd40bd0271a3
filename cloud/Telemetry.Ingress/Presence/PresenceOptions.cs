namespace Telemetry.Ingress.Presence;

/// <summary>How often an ingress says which gateways are connected.</summary>
public sealed record PresenceOptions
{
    /// <summary>The least time between two words about one gateway; what changes meanwhile is said then.</summary>
    public TimeSpan GatewayEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a connected gateway is said again, as a report may have been lost.</summary>
    public TimeSpan RepeatEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest silence of an ingress that is alive.</summary>
    public TimeSpan AliveEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often it is looked at what there is to say.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A clock offset is said again when it has changed by more than this.</summary>
    public TimeSpan OffsetStep { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most reports of one look; what is left is said at the next one.</summary>
    public int ReportsMax { get; init; } = 20;
}
