namespace Telemetry.Alerting.Relay;

/// <summary>
/// The pause after an error: it doubles up to the largest, and is chosen at random between half of it and all of it.
/// </summary>
internal sealed class RelayBackoff(TimeSpan first, TimeSpan largest, Random random)
{
    private int _attempts;

    public TimeSpan Next()
    {
        var bound = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Min(_attempts++, 30)), largest.TotalSeconds);
        return TimeSpan.FromSeconds(bound * (0.5 + (random.NextDouble() / 2)));
    }

    public void Reset() => _attempts = 0;
}
