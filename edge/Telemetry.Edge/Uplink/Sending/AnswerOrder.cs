using Telemetry.Model.Protocol;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>
/// Decides which messages from the cloud count: an answer to a newer hello of this process than the newest one
/// answered, and stored-acks with the token of that answer. All others come from an earlier owner or database, or
/// concern an earlier process.
/// </summary>
internal class AnswerOrder
{
    private HelloId _answered;
    private ulong? _token;

    /// <summary>True when an answer to that hello is newer than the last one.</summary>
    public virtual bool IsNewer(HelloId hello, uint process) =>
        hello.Process == process && hello.Number > _answered.Number;

    /// <summary>True when a stored-ack's token is that of the newest answer.</summary>
    public bool IsOwners(ulong token) => token == _token;

    /// <summary>An answer counts: all earlier answers and stored-acks no longer do.</summary>
    public void Take(HelloId hello, ulong token) => (_answered, _token) = (hello, token);
}
