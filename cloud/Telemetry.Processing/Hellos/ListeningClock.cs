using Telemetry.Processing.Ledger;
using Telemetry.Processing.Partitions;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Measures since when a processor has received, without interruption, what was sent to the owner of a partition. It is
/// interrupted while a stream of the partition has no reader or does not tell its end, and when the processor took no
/// turn for longer than a lease: its process was stopped, or a transaction took very long. The streams' readers end
/// when the link to the broker breaks, and hellos come over the same link. Used on the processor's thread.
/// </summary>
internal sealed class ListeningClock(TimeProvider time, TimeSpan pauseMax)
{
    private long _turnAt = time.GetTimestamp();
    private long _pauseEndedAt = time.GetTimestamp();

    /// <summary>The processor takes hellos. Call it in each round, before they are handled.</summary>
    public void Turn()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_turnAt, now) > pauseMax)
        {
            _pauseEndedAt = now;
        }

        _turnAt = now;
    }

    /// <summary>How long the owner of a partition has listened, as of this turn.</summary>
    public ListeningPeriod Of(PartitionOwner owner) => new(
        Elapsed(Math.Max(_pauseEndedAt, owner.ReadableSinceTimestamp ?? _turnAt)), Elapsed(_turnAt));

    private TimeSpan Elapsed(long timestamp) => time.GetElapsedTime(0, timestamp);
}
