namespace Telemetry.Nats;

/// <summary>A request under way; its answer comes to the connection's one inbox with the request's token.</summary>
internal abstract class NatsPendingReply : NatsOutgoing
{
    public ulong Token { get; set; }

    /// <summary>On the connection's own clock.</summary>
    public TimeSpan Deadline { get; set; }

    /// <summary>Called by the receive loop; the frame is valid during the call only.</summary>
    public abstract void Complete(in NatsFrame frame);

    public override void Written()
    {
    }
}

/// <summary>
/// Requests waiting for their answers, all through one inbox subscription (<c>prefix.*</c>). Who removes a
/// request from the table is the one who completes it. Thread-safe.
/// </summary>
internal sealed class NatsRequestTable(string inboxPrefix) : NatsSink(inboxPrefix + "*", null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, NatsPendingReply> _pending = [];
    private ulong _lastToken;

    /// <summary>Ends in a dot; a request's reply subject is this and its token.</summary>
    public string InboxPrefix => inboxPrefix;

    public override bool SurvivesReconnect => true;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>Gives the request its token and expects the answer.</summary>
    public void Add(NatsPendingReply request)
    {
        lock (_gate)
        {
            request.Token = ++_lastToken;
            _pending.Add(request.Token, request);
        }
    }

    public bool Remove(NatsPendingReply request)
    {
        lock (_gate)
        {
            return _pending.Remove(request.Token);
        }
    }

    public override void Deliver(in NatsFrame frame)
    {
        if (!TryTakeToken(frame.Subject, out var token))
        {
            return;
        }

        NatsPendingReply? request;
        lock (_gate)
        {
            if (!_pending.Remove(token, out request))
            {
                return;
            }
        }

        request.Complete(frame);
    }

    /// <summary>Takes out what is beyond its deadline; the caller fails it.</summary>
    public IReadOnlyList<NatsPendingReply> TakeExpired(TimeSpan now)
    {
        List<NatsPendingReply>? expired = null;
        lock (_gate)
        {
            foreach (var request in _pending.Values)
            {
                if (request.Deadline <= now)
                {
                    (expired ??= []).Add(request);
                }
            }

            foreach (var request in expired ?? [])
            {
                _pending.Remove(request.Token);
            }
        }

        return expired ?? [];
    }

    /// <summary>The link broke: nobody will answer what is under way.</summary>
    public void FailAll(NatsException reason)
    {
        NatsPendingReply[] failed;
        lock (_gate)
        {
            failed = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (var request in failed)
        {
            request.Fail(reason);
        }
    }

    private bool TryTakeToken(ReadOnlySpan<byte> subject, out ulong token)
    {
        token = 0;
        if (subject.Length <= inboxPrefix.Length)
        {
            return false;
        }

        return System.Buffers.Text.Utf8Parser.TryParse(subject[inboxPrefix.Length..], out token, out _);
    }
}
