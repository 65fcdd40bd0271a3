using System.Text;

namespace Telemetry.Nats;

/// <summary>A request whose whole answer the caller wants.</summary>
internal sealed class NatsRequest(string subject, bool allowSynchronousContinuations) : NatsPendingReply
{
    private readonly TaskCompletionSource<NatsMessage> _reply =
        new(Continuations.Options(allowSynchronousContinuations));

    public Task<NatsMessage> Task => _reply.Task;

    public override void Complete(in NatsFrame frame)
    {
        var message = NatsMessage.Copy(frame, Encoding.UTF8.GetString(frame.Subject));
        if (message.IsNoResponders)
        {
            _reply.TrySetException(new NatsNoRespondersException(subject));
            return;
        }

        _reply.TrySetResult(message);
    }

    public override void Fail(NatsException reason) => _reply.TrySetException(Renew(reason));

    public void Cancel(CancellationToken ct) => _reply.TrySetCanceled(ct);
}
