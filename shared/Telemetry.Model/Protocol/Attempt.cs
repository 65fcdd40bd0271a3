namespace Telemetry.Model.Protocol;

/// <summary>
/// One try to send a frame: a random number of the agent's process and a count. It is part of the message id, so that a
/// deliberate resend is never swallowed by the log's deduplication.
/// </summary>
public readonly record struct Attempt(uint Process, int Count)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Process:x8}-{Count}";
}
