using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Telemetry.Mqtt.Listener;
using Telemetry.Mqtt.Transport;

namespace Telemetry.Mqtt;

/// <summary>
/// An MQTT 5.0 listener: takes connections and hands what comes to an <see cref="IMqttApplication"/>. It does not route
/// between clients, keeps no session beyond its connection, and serves QoS 0 and 1. Not served, and refused with their
/// reason codes: QoS 2, retained messages, wills, topic aliases, shared subscriptions, subscription identifiers,
/// extended authentication, MQTT 3.1.1.
/// </summary>
public sealed class MqttListener : IAsyncDisposable
{
    private static readonly TimeSpan PauseAfterAcceptFailure = TimeSpan.FromMilliseconds(100);

    private static readonly MqttCloseReason Stopping =
        new(MqttCloseKind.Local, MqttReasonCode.ServerShuttingDown, "server is stopping");

    private readonly ListenerContext _context;
    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<ServerConnection> _connections = [];
    private readonly HashSet<Task> _serving = [];
    private readonly SslStreamCertificateContext? _certificate;
    private Socket? _socket;
    private Task _accepting = Task.CompletedTask;

    /// <summary>Makes a listener that does not listen yet.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MqttListener(MqttListenerOptions options, IMqttApplication application, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(application);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        if (options.Tls is { } tls)
            _certificate = SslStreamCertificateContext.Create(tls.Certificate, tls.Intermediates, offline: true);
        _context = new ListenerContext(options, application, time, Counters, new SessionRegistry());
    }

    /// <summary>The port that is really listened on; 0 before <see cref="Start"/>.</summary>
    public int Port => (_socket?.LocalEndPoint as IPEndPoint)?.Port ?? 0;

    /// <summary>What has been seen so far.</summary>
    public MqttListenerCounters Counters { get; } = new();

    /// <summary>Connections now, those not yet authenticated included.</summary>
    public int Connections
    {
        get
        {
            lock (_serving) return _serving.Count;
        }
    }

    /// <summary>
    /// Messages that the application has, or will have at once, and whose PUBACK is not yet with their session. An
    /// application that takes no more and waits until there are none knows that none is taken without its PUBACK.
    /// </summary>
    public int PublishesUnderWay => _context.PublishesUnderWay;

    /// <summary>Binds and begins to take connections.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public void Start()
    {
        if (_socket is not null) throw new InvalidOperationException("a listener starts once");
        var options = _context.Options;
        _socket = new Socket(options.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _socket.Bind(new IPEndPoint(options.Address, options.Port));
        _socket.Listen(1024);
        _accepting = AcceptLoopAsync(_socket);
    }

    /// <summary>
    /// Takes no more connections, says DISCONNECT 0x8B to all sessions and closes them, within about two seconds.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        _stopping.Cancel();
        await _accepting;
        _socket?.Dispose();
        ServerConnection[] connections;
        Task[] serving;
        lock (_serving)
        {
            connections = [.. _connections];
            serving = [.. _serving];
        }
        foreach (var connection in connections)
            connection.Close(Stopping);
        await Task.WhenAll(serving);
    }

    /// <summary>Serves a link that is no socket, e.g. a simulated one, until it ends.</summary>
    internal Task ServeAsync(Stream stream) => ServeAsync(stream, null, null, _context.Time.GetTimestamp());

    private async Task AcceptLoopAsync(Socket listening)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Track(await listening.AcceptAsync(_stopping.Token));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // A connection that was reset before it was taken, or no file handles left: the next one may do.
                await Task.Delay(PauseAfterAcceptFailure, _context.Time, CancellationToken.None);
            }
        }
    }

    private void Track(Socket socket)
    {
        if (Connections >= _context.Options.ConnectionsMax)
        {
            Counters.CountOverLimit();
            socket.Dispose();
            return;
        }
        var serving = ServeAsync(socket);
        lock (_serving) _serving.Add(serving);
        _ = UntrackAsync(serving);
    }

    private async Task UntrackAsync(Task serving)
    {
        await serving;
        lock (_serving) _serving.Remove(serving);
    }

    private async Task ServeAsync(Socket socket)
    {
        long startedAt = _context.Time.GetTimestamp();
        Stream? stream = null;
        try
        {
            TcpSettings.Apply(socket, _context.Options.SocketUnsentBytesMax);
            stream = new NetworkStream(socket, ownsSocket: false);
            if (_context.Options.Tls is { } tls) stream = await AuthenticateAsync(stream, tls);
        }
        catch (Exception e)
        {
            if (e is OperationCanceledException && !_stopping.IsCancellationRequested) Counters.CountConnectTimeout();
            else if (e is not SocketException) Counters.CountTlsFailure();
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            return;
        }
        await ServeAsync(stream, socket, (stream as SslStream)?.RemoteCertificate as X509Certificate2, startedAt);
    }

    private async Task<SslStream> AuthenticateAsync(Stream inner, MqttListenerTlsOptions options)
    {
        using var timeout = new CancellationTokenSource(_context.Options.Limits.ConnectTimeout, _context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, timeout.Token);
        var tls = new SslStream(inner);
        await tls.AuthenticateAsServerAsync(TlsSetup.ForListener(options, _certificate!), both.Token);
        return tls;
    }

    private async Task ServeAsync(Stream stream, Socket? socket, X509Certificate2? certificate, long startedAt)
    {
        var connection = new ServerConnection(_context, stream, socket, certificate, startedAt);
        lock (_serving) _connections.Add(connection);
        if (_stopping.IsCancellationRequested) connection.Close(Stopping);
        await connection.RunAsync();
        lock (_serving) _connections.Remove(connection);
    }
}
