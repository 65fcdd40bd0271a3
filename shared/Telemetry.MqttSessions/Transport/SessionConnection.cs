using System.IO.Pipelines;
using System.Net.Sockets;
using Telemetry.MqttSessions.Sessions;

namespace Telemetry.MqttSessions.Transport;

/// <summary>
/// The async shell around one session: a reading loop, a writing loop and one timer over a pipe in each direction.
/// Everything that touches the session holds <see cref="Gate"/> and calls <see cref="Touched"/> (or <see cref="Wake"/>)
/// afterwards, without it.
/// </summary>
internal sealed class SessionConnection
{
    private const int WriteBytesMax = 64 * 1024;
    private const int DiscardedBytesMax = 1024 * 1024;

    /// <summary>
    /// After the session's end: time for the last packet to be read by the client, before the connection is cut.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly ISessionLink _link;
    private readonly ServerSession _session;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly Action<SessionEvent> _handle;
    private readonly WakeSignal _readWake = new();
    private readonly WakeSignal _writeWake = new();
    private readonly ITimer _timer;
    private TimeSpan? _timerDue;
    private bool _isLingering;
    private bool _isDispatching;
    private volatile bool _isAborted;
    private volatile bool _hasSentAll;

    /// <remarks>
    /// The session's time counts from <c>startedAt</c>, a timestamp of <c>time</c>. <c>handle</c> gets the session's
    /// events, one at a time and in order, on whichever thread caused them, and does not throw.
    /// </remarks>
    public SessionConnection(
        ISessionLink link, ServerSession session, TimeProvider time, long startedAt, Action<SessionEvent> handle)
    {
        _link = link;
        _session = session;
        _time = time;
        _startedAt = startedAt;
        _handle = handle;
        _timer = time.CreateTimer(
            static connection => ((SessionConnection)connection!).OnTimer(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public Lock Gate { get; } = new();

    /// <summary>The session's time.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_startedAt);

    /// <summary>
    /// Reads and writes until the session has ended and nothing more is to be read. Never throws. Whoever owns the link
    /// closes it after that.
    /// </summary>
    public async Task RunAsync()
    {
        Touched();
        var writing = WriteLoopAsync();
        await ReadLoopAsync();
        await writing;
        await _timer.DisposeAsync();
    }

    /// <summary>
    /// Lets loops and timer notice a call that made no events. Nothing of the application runs inside of it, so the
    /// application may call in while it holds a lock of its own.
    /// </summary>
    public void Wake()
    {
        lock (Gate)
        {
            if (_session.WantsInput) _readWake.Set();
            _writeWake.Set();
            ArmTimer();
        }
    }

    /// <summary>Wakes, and hands out what events there are. Call it without <see cref="Gate"/>.</summary>
    public void Touched()
    {
        Wake();
        bool dispatches;
        lock (Gate)
        {
            dispatches = !_isDispatching && _session.Events.Count > 0;
            _isDispatching |= dispatches;
        }
        if (dispatches) Dispatch();
    }

    private void Dispatch()
    {
        while (true)
        {
            SessionEvent? next;
            lock (Gate)
            {
                if (!_session.Events.TryDequeue(out next))
                {
                    _isDispatching = false;
                    return;
                }
            }
            _handle(next);
        }
    }

    private void ArmTimer()
    {
        if (_session.Closed is not null)
        {
            if (_isLingering) return;
            _isLingering = true;
            _timer.Change(Linger, Timeout.InfiniteTimeSpan);
        }
        else if (_session.NextDeadline is { } due && !(_timerDue <= due))
        {
            _timerDue = due;
            var wait = due - Now;
            _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer()
    {
        bool lingered;
        lock (Gate)
        {
            lingered = _session.Closed is not null;
            if (!lingered)
            {
                _timerDue = null;
                _session.Advance(Now);
            }
        }
        if (lingered) Abort();
        else Touched();
    }

    /// <summary>Ends both loops, wherever they wait.</summary>
    private void Abort()
    {
        _isAborted = true;
        if (!_hasSentAll) _link.Cut();
        _link.Pipe.Input.CancelPendingRead();
        _link.Pipe.Output.CancelPendingFlush();
        _readWake.Set();
        _writeWake.Set();
    }

    private async Task ReadLoopAsync()
    {
        long discarded = 0;
        try
        {
            while (discarded <= DiscardedBytesMax)
            {
                await WaitUntilWantedAsync();
                var read = await _link.Pipe.Input.ReadAsync();
                ThrowIfAborted();
                long bytes = read.Buffer.Length;
                bool holds = Receive(read, out bool closed);
                if (closed) discarded += bytes;
                if (read.IsCompleted && !holds) break;
            }
            Lost("peer closed the connection");
        }
        catch (Exception e)
        {
            Lost(Describe(e));
        }
    }

    /// <summary>
    /// Takes what whole packets there are. True: reading pauses, and what is left counts as not seen, so that the next
    /// read gives it again; else the next read waits for more.
    /// </summary>
    private bool Receive(in ReadResult read, out bool closed)
    {
        var bytes = read.Buffer;
        bool holds;
        lock (Gate)
        {
            _session.Receive(ref bytes, Now);
            holds = !_session.WantsInput;
            closed = _session.Closed is not null;
        }
        _link.Pipe.Input.AdvanceTo(bytes.Start, holds ? bytes.Start : bytes.End);
        Touched();
        return holds;
    }

    private async Task WaitUntilWantedAsync()
    {
        while (true)
        {
            lock (Gate)
            {
                if (_session.WantsInput) return;
            }
            await _readWake.WaitAsync();
            ThrowIfAborted();
        }
    }

    private async Task WriteLoopAsync()
    {
        try
        {
            while (true)
            {
                int taken;
                bool closed;
                lock (Gate)
                {
                    taken = _session.TakeOutput(_link.Pipe.Output, WriteBytesMax, Now);
                    closed = _session.Closed is not null;
                }
                if (taken == 0)
                {
                    if (closed) break;
                    await _writeWake.WaitAsync();
                    ThrowIfAborted();
                    continue;
                }
                var flushed = await _link.Pipe.Output.FlushAsync();
                ThrowIfAborted();
                if (flushed.IsCompleted) throw new IOException("peer closed the connection");
                lock (Gate) _session.Written();
                Touched();
            }
            // The client is to read the last packet before it sees the end.
            await _link.EndSendingAsync();
            _hasSentAll = true;
        }
        catch (Exception e)
        {
            Lost(Describe(e));
            Abort();
        }
    }

    private void ThrowIfAborted()
    {
        if (_isAborted) throw new OperationCanceledException("the connection is given up");
    }

    private void Lost(string text)
    {
        lock (Gate) _session.ConnectionLost(text);
        Touched();
    }

    /// <summary>A network's failure in its own words; anything else is a defect of ours and says its type.</summary>
    private static string Describe(Exception e) =>
        e is IOException or SocketException or OperationCanceledException ? e.Message : e.ToString();
}
