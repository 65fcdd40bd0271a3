using Telemetry.Model.Identity;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>
/// When a frame was sent and when it arrived; decides how late its readings are. Each period is measured by one clock:
/// the agent's until the frame is sent, then the log's, so that an agent's wrong clock makes nothing late.
/// </summary>
/// <param name="SentAtMicros">When this attempt was sent, by the agent's clock.</param>
/// <param name="ReceivedAtMicros">When the log stored it, by the log's clock.</param>
/// <param name="TransitMicros">How long it was in transit.</param>
/// <param name="IsLate">
/// True when it was booked as lost, or waited in the cloud: all transitions that follow from it are late.
/// </param>
internal readonly record struct FrameArrival(
    long SentAtMicros, long ReceivedAtMicros, long TransitMicros, bool IsLate)
{
    /// <summary>
    /// How long after its event a reading arrived. A backlog reading waited while the link was down, and clocks may be
    /// set in that time: the greater of the ages by the two clocks counts.
    /// </summary>
    public long DelayOf(long timeMicros, Lane lane)
    {
        var delay = SentAtMicros - timeMicros + TransitMicros;
        return lane == Lane.Backlog || IsLate ? Math.Max(delay, ReceivedAtMicros - timeMicros) : delay;
    }
}
