namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// What one commit seals of the backlog: the oldest segments, the drops that no frame covers yet, and the frames made
/// of them.
/// </summary>
internal sealed record BacklogPlan(
    IReadOnlyList<long> Segments, IReadOnlyList<long> Drops, IReadOnlyList<SealPart> Parts)
{
    /// <summary>Completes when it is durable.</summary>
    public TaskCompletionSource Done { get; } = new();
}
