using System.Buffers;

namespace Telemetry.Nats;

/// <summary>One publish that waits for its acknowledgement.</summary>
internal sealed class JetStreamPublish(JetStreamPublisher publisher, bool allowSynchronousContinuations)
    : NatsPendingReply
{
    private readonly TaskCompletionSource<PublishAck> _ack =
        new(Continuations.Options(allowSynchronousContinuations));

    public Task<PublishAck> Task => _ack.Task;

    /// <summary>Counts in the window; guarded by the publisher's lock.</summary>
    public bool HoldsPlace { get; set; }

    /// <summary>Its caller went away: passed over if it is still in line; guarded by the publisher's lock.</summary>
    public bool Abandoned { get; set; }

    public CancellationTokenRegistration Cancellation { get; set; }

    public override void Complete(in NatsFrame frame)
    {
        try
        {
            if (IsNoResponders(frame))
            {
                _ack.TrySetException(new NatsNoRespondersException(Publish.Subject));
            }
            else
            {
                _ack.TrySetResult(PublishAckReader.Read(frame.Payload));
            }
        }
        catch (NatsException e)
        {
            _ack.TrySetException(e);
        }

        Settle();
    }

    public override void Fail(NatsException reason)
    {
        _ack.TrySetException(Renew(reason));
        Settle();
    }

    public void Cancel(CancellationToken ct)
    {
        publisher.Abandon(this);
        _ack.TrySetCanceled(ct);
        publisher.Release(this);
    }

    private static bool IsNoResponders(in NatsFrame frame)
    {
        if (frame.Headers.IsEmpty || !frame.Payload.IsEmpty)
        {
            return false;
        }

        Span<byte> start = stackalloc byte[12];
        var length = (int)Math.Min(12, frame.Headers.Length);
        frame.Headers.Slice(0, length).CopyTo(start);
        return start[..length].SequenceEqual("NATS/1.0 503"u8);
    }

    private void Settle()
    {
        Cancellation.Unregister();
        publisher.Release(this);
    }
}
