namespace Telemetry.Nats;

/// <summary>
/// The window of publishes that wait for their acknowledgement. At its limit publishes wait in line; they leave in
/// the order in which they were asked for. Thread-safe.
/// </summary>
internal sealed class JetStreamPublisher(NatsConnection connection, JetStreamOptions options)
{
    private readonly Lock _gate = new();
    private readonly Queue<JetStreamPublish> _line = new();
    private int _inFlight;

    /// <summary>Publishes that wait for their acknowledgement now.</summary>
    public int InFlight
    {
        get
        {
            lock (_gate)
            {
                return _inFlight;
            }
        }
    }

    public ValueTask<PublishAck> PublishAsync(in NatsPublish publish, CancellationToken ct)
    {
        connection.Check(publish);
        ct.ThrowIfCancellationRequested();
        var pending = new JetStreamPublish(this, connection.Options.AllowSynchronousContinuations)
        {
            Publish = publish,
        };
        NatsException? refused = null;
        lock (_gate)
        {
            if (_line.Count == 0 && _inFlight < options.PublishesInFlightMax)
            {
                refused = Begin(pending);
            }
            else
            {
                _line.Enqueue(pending);
            }
        }

        if (refused is not null)
        {
            pending.Fail(refused);
        }

        if (ct.CanBeCanceled)
        {
            pending.Cancellation = ct.UnsafeRegister(
                static (state, token) => ((JetStreamPublish)state!).Cancel(token), pending);

            // Settled before the registration stood there: nobody else takes it back.
            Interlocked.MemoryBarrier();
            if (pending.Task.IsCompleted)
            {
                pending.Cancellation.Unregister();
            }
        }

        return new(pending.Task);
    }

    /// <summary>The publish has its outcome: the next in line may begin.</summary>
    public void Release(JetStreamPublish settled)
    {
        List<(JetStreamPublish Publish, NatsException Reason)>? failed = null;
        lock (_gate)
        {
            if (!settled.HoldsPlace)
            {
                return;
            }

            settled.HoldsPlace = false;
            _inFlight--;
            while (_inFlight < options.PublishesInFlightMax && _line.TryDequeue(out var next))
            {
                if (!next.Abandoned && Begin(next) is { } refused)
                {
                    (failed ??= []).Add((next, refused));
                }
            }
        }

        foreach (var (publish, reason) in failed ?? [])
        {
            publish.Fail(reason);
        }
    }

    /// <summary>Stops waiting for the acknowledgement; afterwards nobody reads the payload.</summary>
    public void Abandon(JetStreamPublish publish)
    {
        lock (_gate)
        {
            publish.Abandoned = true;
            if (!publish.HoldsPlace)
            {
                return;
            }
        }

        connection.Abandon(publish);
    }

    /// <summary>Under the lock, so that nothing overtakes.</summary>
    private NatsException? Begin(JetStreamPublish pending)
    {
        pending.HoldsPlace = true;
        _inFlight++;
        var refused = connection.Send(
            pending, pending.Publish with { ReplyTo = connection.Requests.InboxPrefix }, options.PublishTimeout);
        if (refused is not null)
        {
            pending.HoldsPlace = false;
            _inFlight--;
        }

        return refused;
    }
}
