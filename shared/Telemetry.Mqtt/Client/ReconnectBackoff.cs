namespace Telemetry.Mqtt;

/// <summary>
/// How long to wait before the next attempt: doubles from <see cref="First"/> to <see cref="Largest"/>, and each wait
/// is drawn evenly between half and all of that, so that a fleet does not come back in step. One caller at a time.
/// </summary>
/// <param name="random">Chance; inject a seeded one for tests.</param>
public sealed class ReconnectBackoff(Random random)
{
    private int _attempts;

    /// <summary>Upper bound of the first wait. Default 1 s.</summary>
    public TimeSpan First { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Upper bound of every wait. Default 60 s.</summary>
    public TimeSpan Largest { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The next wait.</summary>
    public TimeSpan Next()
    {
        double bound = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(_attempts++, 30)), Largest.TotalSeconds);
        return TimeSpan.FromSeconds(bound * (0.5 + (random.NextDouble() / 2)));
    }

    /// <summary>A connection proved good: begin small again.</summary>
    public void Reset() => _attempts = 0;
}
