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
        var ack = default(PublishAck);
        NatsException? error = null;
        try
        {
            if (IsNoResponders(frame))
            {
                error = new NatsNoRespondersException(Publish.Subject);
            }
            else
            {
                ack = PublishAckReader.Read(frame.Payload);
            }
        }
        catch (NatsException e)
        {
            error = e;
        }

        Settle(ack, error);
    }

    public override void Fail(NatsException reason) => Settle(default, Renew(reason));

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

    // Its place is free before its caller hears of it; the registration is taken back after that.
    private void Settle(PublishAck ack, NatsException? error)
    {
        publisher.Release(this);
        _ = error is null ? _ack.TrySetResult(ack) : _ack.TrySetException(error);
        Cancellation.Unregister();
    }
}
