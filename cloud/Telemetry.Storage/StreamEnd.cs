namespace Telemetry.Storage;

/// <summary>When a stream of the log was created, and its last sequence.</summary>
public readonly record struct StreamEnd(long CreatedNanos, long Last);
