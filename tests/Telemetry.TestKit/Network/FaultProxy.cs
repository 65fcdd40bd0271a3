using System.Net;
using System.Net.Sockets;

namespace Telemetry.TestKit.Network;

/// <summary>
/// A TCP proxy on 127.0.0.1 between a client and a server, with the faults of a bad line. Everything may be changed
/// while connections are open, from any thread.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _closing = new();
    private readonly Dictionary<ProxiedConnection, Task> _connections = [];
    private readonly IPEndPoint _server;
    private readonly Task _accepting;
    private readonly Link _toServer = new();
    private readonly Link _toClient = new();
    private TaskCompletionSource _healed = Completed();
    private long _delayTicks;
    private CutKind? _cut;

    /// <param name="serverPort">Where the server listens, on 127.0.0.1.</param>
    /// <param name="bufferBytes">
    /// How much of what a client sent waits in the proxy's socket; null: as much as the system likes, which on a slow
    /// line is seconds.
    /// </param>
    public FaultProxy(int serverPort, int? bufferBytes = null)
    {
        _server = new IPEndPoint(IPAddress.Loopback, serverPort);
        if (bufferBytes is { } bytes)
        {
            _listener.ReceiveBufferSize = bytes;
        }

        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = Accept();
    }

    /// <summary>Where clients connect.</summary>
    public int Port { get; }

    /// <summary>How long every byte is under way, each direction.</summary>
    public TimeSpan Delay
    {
        get => new(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    public int OpenConnections
    {
        get
        {
            lock (_lock)
            {
                return _connections.Count;
            }
        }
    }

    /// <summary>
    /// Limits the line, which all connections share, to so many bytes a second; long.MaxValue: no limit.
    /// </summary>
    public void LimitBandwidth(Direction direction, long bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerSecond, 1);
        LinkTo(direction).BytesPerSecond = bytesPerSecond;
    }

    /// <summary>Lets so many more bytes through in that direction, then cuts with a reset.</summary>
    public void CutAfter(Direction direction, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        LinkTo(direction).CutAfter(bytes);
    }

    /// <summary>Bytes that have gone through in that direction, all connections together.</summary>
    public long BytesPassed(Direction direction) => LinkTo(direction).BytesPassed;

    /// <summary>Cuts every connection, and every new one until <see cref="Heal"/>.</summary>
    public void Cut(CutKind kind)
    {
        lock (_lock)
        {
            _cut = kind;
            if (kind == CutKind.Silent)
            {
                _healed = _healed.Task.IsCompleted ? NotCompleted() : _healed;
                return;
            }

            foreach (var connection in _connections.Keys)
            {
                connection.Reset();
            }
        }
    }

    /// <summary>Lets new connections through, and what a silent cut held back.</summary>
    public void Heal()
    {
        lock (_lock)
        {
            _cut = null;
            _healed.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        await _accepting;
        Task[] serving;
        lock (_lock)
        {
            serving = [.. _connections.Values];
            foreach (var connection in _connections.Keys)
            {
                connection.Reset();
            }
        }

        await Task.WhenAll(serving);
        _closing.Dispose();
    }

    internal Link LinkTo(Direction direction) => direction == Direction.ToServer ? _toServer : _toClient;

    /// <summary>Waits while the line is cut silently.</summary>
    internal Task WhileSilent(CancellationToken cancellation)
    {
        lock (_lock)
        {
            return _healed.Task.WaitAsync(cancellation);
        }
    }

    private async Task Accept()
    {
        while (!_closing.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_closing.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                continue; // Closing, or a client that left before it was accepted.
            }

            lock (_lock)
            {
                var connection = new ProxiedConnection(this, client);
                if (_cut == CutKind.Reset)
                {
                    connection.Reset();
                }

                _connections.Add(connection, Serve(connection));
            }
        }
    }

    private async Task Serve(ProxiedConnection connection)
    {
        await Task.Yield(); // Not inside of the lock of the caller.
        await connection.Run(_server);
        lock (_lock)
        {
            _connections.Remove(connection);
        }
    }

    private static TaskCompletionSource NotCompleted() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Completed()
    {
        var completed = NotCompleted();
        completed.SetResult();
        return completed;
    }
}
