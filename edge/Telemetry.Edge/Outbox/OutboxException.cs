namespace Telemetry.Edge.Outbox;

/// <summary>
/// The outbox or its file is broken. <see cref="IsTransient"/> true: open the file anew and go on. False: only an
/// operator can mend it (a file of a newer version, one that another agent has open, one that fails its check).
/// </summary>
public sealed class OutboxException(string message, bool isTransient, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>True when opening the file again can help.</summary>
    public bool IsTransient { get; } = isTransient;
}
