namespace Telemetry.Model.Identity;

/// <summary>
/// One attempt to send a frame: a random number of the agent's process and a count. It is part of the message id, so
/// that the log's deduplication never discards a deliberate resend.
/// </summary>
public readonly record struct Attempt(uint Process, int Count)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Process:x8}-{Count}";
}
