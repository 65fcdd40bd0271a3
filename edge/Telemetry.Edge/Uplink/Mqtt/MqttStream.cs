using System.Net.Security;
using System.Net.Sockets;

namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>
/// The bytes of one connection, as MQTTnet reads and writes them. It reports when a publish has been written, when
/// bytes last moved and why the connection ended, and it refuses a packet that is too large before MQTTnet allocates
/// memory for it. One reader and one writer at a time; every other member may be used from any thread.
/// </summary>
internal sealed class MqttStream : Stream
{
    // MQTTnet reads 1 or 2 bytes at a time.
    private const int ReceiveBufferBytes = 4096;

    // On a slow link a large packet takes many seconds. Written in pieces, it is seen to move.
    private const int PieceBytes = 8 * 1024;

    private const int DrainedBytesMax = 1024 * 1024;

    // Time after the last packet for the peer to read it and to close, before the socket is cut.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly Stream _inner;
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private readonly Lock _lock = new();
    private readonly PacketScanner _sent = new(int.MaxValue);
    private readonly PacketScanner _received;
    private readonly byte[] _buffer = new byte[ReceiveBufferBytes];
    private readonly CancellationTokenSource _cut = new();
    private readonly Lazy<Task> _closing;
    private ReadOnlyMemory<byte> _buffered;
    private TaskCompletionSource? _publishWritten;
    private LinkActivity _activity;
    private string? _endReason;
    private bool _hasWritten;
    private bool _isClosing;

    /// <param name="inner">The socket's stream, or TLS on it.</param>
    /// <param name="socket">Closed with this stream.</param>
    /// <param name="packetBytesMax">Largest packet that may be received, bytes.</param>
    /// <param name="time">Measures activity.</param>
    public MqttStream(Stream inner, Socket socket, int packetBytesMax, TimeProvider time)
    {
        (_inner, Socket, _time, _startedAt) = (inner, socket, time, time.GetTimestamp());
        _received = new PacketScanner(packetBytesMax);
        _closing = new Lazy<Task>(CloseOnceAsync);
    }

    /// <summary>The socket below.</summary>
    public Socket Socket { get; }

    /// <summary>Called when the first packet is about to be written.</summary>
    public Action? FirstPacket { get; set; }

    /// <summary>The current time, on the axis of <see cref="Activity"/>.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_startedAt);

    /// <summary>When something last happened on the connection.</summary>
    public LinkActivity Activity
    {
        get
        {
            lock (_lock)
            {
                return _activity;
            }
        }
    }

    /// <summary>Publishes that were completely written.</summary>
    public long PublishesWritten
    {
        get
        {
            lock (_lock)
            {
                return _sent.Publishes;
            }
        }
    }

    /// <summary>
    /// Why the peer or the network ended the connection; null while it is open, and when it was closed here.
    /// </summary>
    public string? EndReason
    {
        get
        {
            lock (_lock)
            {
                return _endReason;
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Completes when more publishes than <paramref name="count"/> are written, or the connection has ended. For one
    /// caller at a time.
    /// </summary>
    public Task WrittenMoreThanAsync(long count)
    {
        lock (_lock)
        {
            if (_sent.Publishes > count || _isClosing || _endReason is not null)
            {
                return Task.CompletedTask;
            }

            _publishWritten = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _publishWritten.Task;
        }
    }

    /// <summary>
    /// Ends the sending direction and waits a moment for the peer to close, so that it reads the last packet before it
    /// sees the end; then closes.
    /// </summary>
    public Task CloseAsync()
    {
        lock (_lock)
        {
            _isClosing = true;
        }

        return _closing.Value;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_buffered.IsEmpty)
        {
            try
            {
                var read = await _inner.ReadAsync(_buffer, cancellationToken);
                Received(_buffer.AsMemory(0, read));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                End(e.Message);
                throw;
            }
        }

        var taken = Math.Min(_buffered.Length, buffer.Length);
        _buffered[..taken].CopyTo(buffer);
        _buffered = _buffered[taken..];
        return taken;
    }

    /// <summary>Writes a whole packet. The token is not passed on: half a packet would break the connection.</summary>
    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_hasWritten)
        {
            _hasWritten = true;
            FirstPacket?.Invoke();
        }

        lock (_lock)
        {
            _activity = _activity with { Sending = Now };
        }

        try
        {
            for (var at = 0; at < buffer.Length; at += PieceBytes)
            {
                var piece = buffer[at..Math.Min(at + PieceBytes, buffer.Length)];
                await _inner.WriteAsync(piece, _cut.Token);
                Written(piece.Span);
            }
        }
        catch (Exception e)
        {
            End(e.Message);
            throw;
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Starts closing; <see cref="CloseAsync"/> waits for the end.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ = CloseAsync();
        }

        base.Dispose(disposing);
    }

    private void Received(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            End("peer closed the connection");
            return;
        }

        lock (_lock)
        {
            _activity = _activity with { Received = Now };
        }

        _received.Take(bytes.Span);
        _buffered = bytes;
    }

    private void Written(ReadOnlySpan<byte> bytes)
    {
        TaskCompletionSource? written = null;
        lock (_lock)
        {
            _activity = _activity with { Written = Now };
            var before = _sent.Publishes;
            _sent.Take(bytes);
            if (_sent.Publishes > before)
            {
                (written, _publishWritten) = (_publishWritten, null);
            }
        }

        written?.TrySetResult();
    }

    private void End(string why)
    {
        TaskCompletionSource? written;
        lock (_lock)
        {
            // A failure while closing is a consequence of the closing, not the end reason.
            _endReason ??= _isClosing ? null : why;

            (written, _publishWritten) = (_publishWritten, null);
        }

        written?.TrySetResult();
    }

    private async Task CloseOnceAsync()
    {
        try
        {
            if (EndReason is null)
            {
                using var limit = new CancellationTokenSource(Linger, _time);
                if (_inner is SslStream tls)
                {
                    await tls.ShutdownAsync().WaitAsync(limit.Token);
                }

                Socket.Shutdown(SocketShutdown.Send);
                await DrainAsync(limit.Token);
            }
        }
        catch (Exception e)
        {
            // The peer is gone, or does not close in time: cut the socket.
            End(e.Message);
        }
        finally
        {
            _cut.Cancel();
            await _inner.DisposeAsync();
            Socket.Dispose();
            End("closed");
        }
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[ReceiveBufferBytes];
        for (var drained = 0; drained < DrainedBytesMax;)
        {
            var read = await Socket.ReceiveAsync(buffer, cancellationToken);
            if (read == 0)
            {
                return;
            }

            drained += read;
        }
    }
}
