namespace Telemetry.Nats;

/// <summary>
/// Delays between rounds of attempts: doubling up to a maximum, each drawn from the upper half of its span, so
/// that a fleet whose server comes back does not knock all at once. One loop uses it.
/// </summary>
internal sealed class NatsBackoff(TimeSpan first, TimeSpan longest, Random random)
{
    private int _doublings;

    public TimeSpan Next()
    {
        var span = first * Math.Pow(2, _doublings);
        if (span < longest)
        {
            _doublings++;
        }
        else
        {
            span = longest;
        }

        return span * (0.5 + (random.NextDouble() / 2));
    }

    public void Reset() => _doublings = 0;
}
