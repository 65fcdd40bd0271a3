using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Worlds;

/// <summary>A copy of an outbox file.</summary>
internal sealed record OutboxCopy(OutboxSnapshot Snapshot, TimeSpan TakenAt);
