namespace Telemetry.Inputs.Generator;

/// <summary>What the generator makes. Keys: section <c>generator</c> of the agent's configuration.</summary>
public sealed record GeneratorOptions : IInputOptions
{
    /// <summary>
    /// Readings a second over all series, 1 to 1,000,000. Default 100. What the outbox does not take in time is not
    /// made.
    /// </summary>
    public int ReadingsPerSecond { get; init; } = 100;

    /// <summary>Devices, 1 to 10,000. Default 4.</summary>
    public int Devices { get; init; } = 4;

    /// <summary>Series of each device, 1 to 1,000; kinds of values take turns. Default 6, one of each kind.</summary>
    public int SeriesPerDevice { get; init; } = GeneratorSeries.Kinds;

    /// <summary>How often readings are handed over. Default 250 ms.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Within which time a batch wants to be durable. Default 500 ms; zero: at once.</summary>
    public TimeSpan CommitDeadline { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>One batch in so many is critical; 0 (default): none.</summary>
    public int CriticalEvery { get; init; }

    /// <summary>
    /// One text in so many is one that no PostgreSQL can hold (it has a NUL), so that it is rejected; 0 (default):
    /// none.
    /// </summary>
    public int UnstorableTextEvery { get; init; }

    /// <summary>
    /// One reading in so many has a time of a thousand years ago, which a cloud that is told so
    /// (<c>processor.timeFirst</c>) rejects; 0 (default): none.
    /// </summary>
    public int OldTimeEvery { get; init; }

    /// <summary>
    /// Ends after so many readings, those of earlier runs (by the journal) included; 0 (default): never.
    /// </summary>
    public long ReadingsMax { get; init; }

    /// <summary>Seed of the values. Default 1: the same values in every run.</summary>
    public int Seed { get; init; } = 1;

    public IInput Create(InputContext context) => new GeneratorInput(this, context.Journal, context.Time);

    /// <summary>With a seed of its own, so that gateways have different values.</summary>
    public IInputOptions ForFleetMember(int number) => this with { Seed = unchecked(Seed + (number * 1000)) };
}
