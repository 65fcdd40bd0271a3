namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// What one commit seals of the backlog: the oldest segments, the drops that wait, and the frames they become.
/// </summary>
internal sealed record BacklogPlan(
    IReadOnlyList<long> Segments, IReadOnlyList<long> Drops, IReadOnlyList<SealPart> Parts)
{
    /// <summary>Ends when it is durable.</summary>
    public TaskCompletionSource Done { get; } = new();
}
