namespace Telemetry.TestKit.Time;

/// <summary>Limits and chance of a <see cref="Pump"/>.</summary>
public sealed record PumpOptions
{
    /// <summary>What the simulated wall clock shows at the beginning.</summary>
    public DateTimeOffset UtcNow { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A run that would pass this much simulated time since the pump was made fails.</summary>
    public TimeSpan SimulatedTimeMax { get; init; } = TimeSpan.FromDays(1);

    /// <summary>A run of more steps (continuations and timers) since the pump was made fails.</summary>
    public long StepsMax { get; init; } = 20_000_000;

    /// <summary>
    /// Which of the ready steps comes next. Null: the one that was ready first. A seeded one tries orders that a
    /// pool of threads could bring about; a run replays with the same seed.
    /// </summary>
    public Random? Order { get; init; }
}
