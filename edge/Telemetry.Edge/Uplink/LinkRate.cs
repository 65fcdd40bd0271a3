namespace Telemetry.Edge.Uplink;

/// <summary>
/// How many readings a second the link takes, measured over the frames that were acknowledged lately.
/// </summary>
internal sealed class LinkRate(TimeProvider time)
{
    private const double Weight = 0.25;
    private const double ReadingsStart = 4096;

    private double _readingsPerSecond = 2 * ReadingsStart;

    /// <summary>A frame was acknowledged.</summary>
    public void Took(int bytes, int readings, long startedAtTimestamp)
    {
        var seconds = time.GetElapsedTime(startedAtTimestamp).TotalSeconds;
        if (readings > 0 && bytes > 1024 && seconds > 0)
        {
            _readingsPerSecond += Weight * (readings / seconds - _readingsPerSecond);
        }
    }

    /// <summary>Readings that the link takes in a time.</summary>
    public int Readings(TimeSpan within) => (int)Math.Min(int.MaxValue, _readingsPerSecond * within.TotalSeconds);
}
