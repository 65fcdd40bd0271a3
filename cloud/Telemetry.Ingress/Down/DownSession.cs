using Telemetry.Model.Identity;
using Telemetry.Streams;

namespace Telemetry.Ingress.Down;

/// <summary>
/// Passes the owner's messages to one session, in order, from before its CONNACK until it closes. While the session
/// accepts no more, messages wait in a <see cref="DownQueue"/> and are offered again by a timer. The control channel's
/// thread and the timer's thread may call at the same time.
/// </summary>
internal sealed class DownSession : IAsyncDisposable
{
    private readonly Func<ReadOnlyMemory<byte>, bool> _send;
    private readonly IngressCounters _counters;
    private readonly DownQueue _waiting;
    private readonly TimeSpan _retryInterval;
    private readonly ITimer _retry;
    private readonly Lock _gate = new();
    private IAsyncDisposable? _subscription;
    private bool _closed;

    private DownSession(
        Func<ReadOnlyMemory<byte>, bool> send, IngressOptions options, TimeProvider time, IngressCounters counters)
    {
        _send = send;
        _counters = counters;
        _waiting = new DownQueue(options.DownMessagesMax, options.DownBytesMax);
        _retryInterval = options.DownRetryInterval;
        _retry = time.CreateTimer(
            static session => ((DownSession)session!).SendWaiting(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Opens the session: from the time this returns, messages that are sent down reach <paramref name="send"/>, which
    /// may keep the bytes, must not wait, and returns false when it accepts no more now. Throws <see
    /// cref="FrameLogException"/>.
    /// </summary>
    public static async ValueTask<DownSession> OpenAsync(
        IControlChannel control,
        GatewayId gateway,
        Func<ReadOnlyMemory<byte>, bool> send,
        IngressOptions options,
        TimeProvider time,
        IngressCounters counters,
        CancellationToken cancellationToken)
    {
        var session = new DownSession(send, options, time, counters);
        try
        {
            session._subscription = await control.ListenDownAsync(gateway, session.Arrived, cancellationToken);
        }
        catch
        {
            await session._retry.DisposeAsync();
            throw;
        }

        counters.Count(IngressEvent.SessionOpened);
        return session;
    }

    /// <summary>Ends the session; waiting messages are discarded, since nobody can receive them.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        _counters.Count(IngressEvent.SessionClosed);
        await _retry.DisposeAsync();
        await _subscription!.DisposeAsync();
    }

    private void Arrived(ReadOnlyMemory<byte> message)
    {
        var copy = message.ToArray();
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            if (_waiting.Count == 0 && _send(copy))
            {
                _counters.Count(IngressEvent.DownSent);
                return;
            }

            var (coalesced, dropped) = _waiting.Add(copy);
            _counters.Count(IngressEvent.DownCoalesced, coalesced);
            _counters.Count(IngressEvent.DownDropped, dropped);
            _retry.Change(_retryInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void SendWaiting()
    {
        lock (_gate)
        {
            while (!_closed && _waiting.First is { } message)
            {
                if (!_send(message))
                {
                    _retry.Change(_retryInterval, Timeout.InfiniteTimeSpan);
                    return;
                }

                _waiting.RemoveFirst();
                _counters.Count(IngressEvent.DownSent);
            }
        }
    }
}
