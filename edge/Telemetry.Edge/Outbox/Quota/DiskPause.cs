namespace Telemetry.Edge.Outbox.Quota;

/// <summary>
/// How long commits pause after a disk refused one. The pause for new readings is separate from the pause for draining:
/// seals, frees and receipts may fit where readings do not. Pauses double from <see cref="PauseMin"/> to <see
/// cref="PauseMax"/>. Used on the outbox' thread.
/// </summary>
internal sealed class DiskPause(TimeProvider time)
{
    public static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(30);

    private long _readingsFrom;
    private int _readingFailures;
    private int _failures;

    /// <summary>The timestamp until which nothing is committed; 0 when there is no pause.</summary>
    public long Until { get; private set; }

    /// <summary>True while nothing is committed.</summary>
    public bool Rests => time.GetTimestamp() < Until;

    /// <summary>True while readings are refused.</summary>
    public bool RefusesReadings => time.GetTimestamp() < Math.Max(_readingsFrom, Until);

    /// <summary>A commit was rolled back.</summary>
    public void Failed(bool withReadings)
    {
        if (withReadings)
        {
            _readingsFrom = After(Pause(_readingFailures++));
        }
        else
        {
            Until = After(Pause(_failures++));
        }
    }

    /// <summary>A commit without readings is durable.</summary>
    public void Drained()
    {
        _failures = 0;
        Until = 0;
    }

    /// <summary>The disk accepts readings again.</summary>
    public void Recovered()
    {
        Drained();
        _readingFailures = 0;
        _readingsFrom = 0;
    }

    private static TimeSpan Pause(int failures)
    {
        var pause = PauseMin * Math.Pow(2, Math.Min(failures, 16));
        return pause < PauseMax ? pause : PauseMax;
    }

    private long After(TimeSpan pause) => time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
}
