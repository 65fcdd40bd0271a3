using Telemetry.Model.Identity;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// When a frame was sent and when it came, for how late its readings are. Ages are told by one clock each: until the
/// sending by the agent's, from then on by the log's, so that an agent whose clock is off makes nothing late.
/// </summary>
/// <param name="SentAtMicros">The attempt that came was sent then, by the agent's clock.</param>
/// <param name="ReceivedAtMicros">The log stored it then, by the log's clock.</param>
/// <param name="TransitMicros">How long it was on its way.</param>
/// <param name="IsLate">It was booked as lost, or waited in the cloud: whatever follows from it is late.</param>
internal readonly record struct FrameArrival(
    long SentAtMicros, long ReceivedAtMicros, long TransitMicros, bool IsLate)
{
    /// <summary>
    /// How long after its event a reading arrived. What comes by backlog waited while the link was down, when clocks
    /// are set: it is as old as the clock that makes it older says.
    /// </summary>
    public long DelayOf(long timeMicros, Lane lane)
    {
        var delay = SentAtMicros - timeMicros + TransitMicros;
        return lane == Lane.Backlog || IsLate ? Math.Max(delay, ReceivedAtMicros - timeMicros) : delay;
    }
}
