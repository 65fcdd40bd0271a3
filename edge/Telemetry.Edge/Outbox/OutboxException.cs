using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox;

/// <summary>The outbox, its file or its disk failed; <see cref="Fault"/> says how.</summary>
public sealed class OutboxException : Exception
{
    /// <summary>A failure of no known kind.</summary>
    public OutboxException(string message, bool isTransient, Exception? inner = null)
        : base(message, inner) => IsTransient = isTransient;

    /// <summary>A failure of a known kind. <paramref name="isUndone"/>: see <see cref="IsUndone"/>.</summary>
    public OutboxException(string message, OutboxFault fault, Exception? inner = null, bool isUndone = false)
        : base(message, inner)
    {
        Fault = fault;
        IsUndone = isUndone;
        IsTransient = fault is OutboxFault.Full or OutboxFault.ReadOnly or OutboxFault.Io or OutboxFault.Busy;
    }

    /// <summary>A file that belongs to another gateway, and what to do about it.</summary>
    public static OutboxException OfAnotherGateway(string file, string owner, GatewayId gateway) => new(
        $"{file} is of the gateway {owner}, and this agent is {gateway}: what it holds would be stored again under "
        + $"another name. Start an agent as {owner} with it until its status says atTheEdge 0, or move it away to "
        + "begin a new one",
        OutboxFault.OtherGateway);

    /// <summary>What is wrong.</summary>
    public OutboxFault Fault { get; }

    /// <summary>
    /// True when it can pass by itself (a full disk, one that failed for a moment). False: only an operator can mend it
    /// (a file of a newer version, one that another agent has open, one that fails its check).
    /// </summary>
    public bool IsTransient { get; }

    /// <summary>
    /// True for a commit that was rolled back, and for a read: nothing of it is in the file, and the same opening takes
    /// the next call. One exception: after <see cref="OutboxFault.Io"/> a loss of power before the next commit may
    /// bring it back, because the disk may have written what it reported as failed. False: nobody knows whether it
    /// happened; open the file anew.
    /// </summary>
    public bool IsUndone { get; }
}
