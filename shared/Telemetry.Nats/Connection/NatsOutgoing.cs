namespace Telemetry.Nats;

/// <summary>
/// A publish that may have to wait for room in the write buffer. Its callbacks run on whichever thread makes
/// room or breaks the link, never under the buffer's lock, and must not block.
/// </summary>
internal abstract class NatsOutgoing
{
    public NatsPublish Publish { get; set; }

    /// <summary>Copied into the buffer; the payload is free again.</summary>
    public abstract void Written();

    /// <summary>There will be no answer, or it was never sent.</summary>
    public abstract void Fail(NatsException reason);

    /// <summary>A fresh exception for each waiter.</summary>
    protected static NatsException Renew(NatsException reason) =>
        reason is NatsTimeoutException
            ? new NatsTimeoutException(reason.Message, reason.InnerException)
            : NatsConnectionException.Because(reason);
}

/// <summary>A plain publish whose caller waits for room.</summary>
internal sealed class NatsWaitingPublish(bool allowSynchronousContinuations) : NatsOutgoing
{
    private readonly TaskCompletionSource _written = new(Continuations.Options(allowSynchronousContinuations));

    public Task Task => _written.Task;

    public override void Written() => _written.TrySetResult();

    public override void Fail(NatsException reason) => _written.TrySetException(Renew(reason));

    public void Cancel(CancellationToken ct) => _written.TrySetCanceled(ct);
}

/// <summary>A publish whose fate shows elsewhere.</summary>
internal sealed class NatsUnwatchedPublish : NatsOutgoing
{
    public override void Written()
    {
    }

    public override void Fail(NatsException reason)
    {
    }
}
