using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox;

/// <summary>The outbox, its file or its disk failed; <see cref="Fault"/> says how.</summary>
public sealed class OutboxException : Exception
{
    /// <summary>A failure of an unknown kind.</summary>
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

    /// <summary>A file that belongs to another gateway, with advice for the operator.</summary>
    public static OutboxException OfAnotherGateway(string file, string owner, GatewayId gateway) => new(
        $"{file} is of the gateway {owner}, and this agent is {gateway}: what it holds would be stored again under "
        + $"another name. Start an agent as {owner} with it until its status says atTheEdge 0, or move it away to "
        + "begin a new one",
        OutboxFault.OtherGateway);

    /// <summary>The kind of failure.</summary>
    public OutboxFault Fault { get; }

    /// <summary>
    /// True when the failure can end by itself (a full disk, a disk that failed for a moment). False when only an
    /// operator can repair it (a file of a newer version, a file that another agent has open, one that fails its
    /// check).
    /// </summary>
    public bool IsTransient { get; }

    /// <summary>
    /// True for a commit that was rolled back, and for a read: nothing of it is in the file, and the open file accepts
    /// the next call. One exception: after <see cref="OutboxFault.Io"/> a loss of power before the next commit may make
    /// it durable after all, because the disk may have written what it reported as failed. False: the outcome is
    /// unknown; open the file again.
    /// </summary>
    public bool IsUndone { get; }
}
