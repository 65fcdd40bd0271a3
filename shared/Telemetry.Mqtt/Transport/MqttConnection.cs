using System.Buffers;
using System.Net.Sockets;
using Telemetry.Mqtt.Sessions;

namespace Telemetry.Mqtt.Transport;

/// <summary>
/// The async shell around one session: a reading loop, a writing loop and one timer. Everything that touches the
/// session
/// holds <see cref="Gate"/> and calls <see cref="Touched"/> (or <see cref="Wake"/>) afterwards, without it.
/// </summary>
internal sealed class MqttConnection
{
    private const int WriteBytesMax = 64 * 1024;
    private const int DiscardedBytesMax = 1024 * 1024;

    /// <summary>
    /// After the session's end: time for the last packet to be read by the peer, before the socket is cut.
    /// </summary>
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly Stream _stream;
    private readonly Socket? _socket;
    private readonly MqttSession _session;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly int _writeBytesMax;
    private readonly Action<SessionEvent> _handle;
    private readonly WakeSignal _readWake = new();
    private readonly WakeSignal _writeWake = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly ITimer _timer;
    private TimeSpan? _timerDue;
    private bool _isLingering;
    private bool _isDispatching;
    private bool _isHeld;

    /// <remarks>
    /// The session's time counts from <c>startedAt</c>, a timestamp of <c>time</c>. <c>handle</c> gets the session's
    /// events, one at a time and in order, on whichever thread caused them, and does not throw.
    /// </remarks>
    public MqttConnection(
        Stream stream, Socket? socket, MqttSession session, TimeProvider time, long startedAt,
        int? unsentBytesMax, Action<SessionEvent> handle)
    {
        _stream = stream;
        _socket = socket;
        _session = session;
        _time = time;
        _startedAt = startedAt;
        _writeBytesMax = Math.Min(WriteBytesMax, unsentBytesMax ?? WriteBytesMax);
        _handle = handle;
        _abort.Token.Register(_readWake.Set);
        _abort.Token.Register(_writeWake.Set);
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Lock Gate { get; } = new();

    /// <summary>The session's time.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_startedAt);

    /// <summary>
    /// Reads and writes until the session has ended and the network connection is closed. Never throws.
    /// </summary>
    public async Task RunAsync()
    {
        Touched();
        var writing = WriteLoopAsync();
        await ReadLoopAsync();
        await writing;
        await _timer.DisposeAsync();
        await _stream.DisposeAsync();
        _socket?.Dispose();
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
        lock (Gate)
        {
            if (_session.Closed is not null)
            {
                _abort.Cancel();
                return;
            }
            _timerDue = null;
            _session.Advance(Now);
        }
        Touched();
    }

    private async Task ReadLoopAsync()
    {
        var buffer = new ReceiveBuffer();
        long discarded = 0;
        try
        {
            while (discarded <= DiscardedBytesMax)
            {
                await WaitForRoomAsync(buffer);
                int read = await _stream.ReadAsync(buffer.Room(), _abort.Token);
                if (read == 0) break;
                buffer.Add(read);
                if (Receive(buffer)) discarded += read;
            }
            Lost("peer closed the connection");
        }
        catch (Exception e)
        {
            Lost(Describe(e));
        }
    }

    /// <summary>While reading pauses, waits; then first takes what was received before.</summary>
    private async Task WaitForRoomAsync(ReceiveBuffer buffer)
    {
        while (_isHeld)
        {
            bool wanted;
            lock (Gate) wanted = _session.WantsInput;
            if (wanted) Receive(buffer);
            else await WaitAsync(_readWake);
        }
    }

    private bool Receive(ReceiveBuffer buffer)
    {
        bool closed;
        lock (Gate)
        {
            var bytes = buffer.Received;
            _session.Receive(ref bytes, Now);
            buffer.KeepLast(bytes.Length);
            _isHeld = !_session.WantsInput;
            closed = _session.Closed is not null;
        }
        Touched();
        return closed;
    }

    private async Task WriteLoopAsync()
    {
        var output = new ArrayBufferWriter<byte>(1024);
        try
        {
            while (true)
            {
                bool closed;
                lock (Gate)
                {
                    _session.TakeOutput(output, _writeBytesMax, Now);
                    closed = _session.Closed is not null;
                }
                if (output.WrittenCount == 0)
                {
                    if (closed) break;
                    await WaitAsync(_writeWake);
                    continue;
                }
                await _stream.WriteAsync(output.WrittenMemory, _abort.Token);
                output = Emptied(output);
                lock (Gate) _session.Written(Now);
                Touched();
            }
            await EndWritingAsync();
        }
        catch (Exception e)
        {
            Lost(Describe(e));
            _abort.Cancel();
        }
    }

    /// <summary>Says that no more comes, so that the peer reads the last packet before it sees the end.</summary>
    private async Task EndWritingAsync()
    {
        if (_stream is System.Net.Security.SslStream tls) await tls.ShutdownAsync().WaitAsync(_abort.Token);
        if (_socket is not null) _socket.Shutdown(SocketShutdown.Send);
        else _abort.Cancel();
    }

    private async Task WaitAsync(WakeSignal signal)
    {
        await signal.WaitAsync();
        _abort.Token.ThrowIfCancellationRequested();
    }

    private void Lost(string text)
    {
        lock (Gate) _session.ConnectionLost(text);
        Touched();
    }

    private static ArrayBufferWriter<byte> Emptied(ArrayBufferWriter<byte> output)
    {
        if (output.Capacity > 2 * WriteBytesMax) return new ArrayBufferWriter<byte>(1024);
        output.ResetWrittenCount();
        return output;
    }

    /// <summary>A network's failure in its own words; anything else is a defect of ours and says its type.</summary>
    private static string Describe(Exception e) =>
        e is IOException or SocketException or OperationCanceledException ? e.Message : e.ToString();
}
