using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Telemetry.MqttSessions.Listener;
using Telemetry.MqttSessions.Transport;

namespace Telemetry.MqttSessions;

/// <summary>
/// An MQTT 5.0 listener: takes connections and hands what comes to an <see cref="IMqttApplication"/>. It does not route
/// between clients, keeps no session beyond its connection, and serves QoS 0 and 1. Not served, and refused with their
/// reason codes: QoS 2, retained messages, wills, topic aliases, shared subscriptions, subscription identifiers,
/// extended authentication, MQTT 3.1.1.
/// </summary>
public sealed class MqttListener : IAsyncDisposable
{
    /// <summary>After so long a stop cuts what has not ended by itself.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(2);

    /// <summary>A timer of the TLS handshake may end so much before our clock says so.</summary>
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(50);

    private static readonly MqttCloseReason Stopping =
        new(MqttCloseKind.Local, MqttReasonCode.ServerShuttingDown, "server is stopping");

    private readonly ListenerContext _context;
    private readonly KestrelHost _host;
    private readonly HashSet<Arrival> _arrivals = [];
    private bool _isStarted;
    private volatile bool _isStopping;

    /// <summary>Makes a listener that does not listen yet.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public MqttListener(MqttListenerOptions options, IMqttApplication application, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(application);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        var certificate = options.Tls is { } tls
            ? SslStreamCertificateContext.Create(tls.Certificate, tls.Intermediates, offline: true) : null;
        _context = new ListenerContext(options, application, time, Counters, new SessionRegistry());
        _host = new KestrelHost(options, certificate, TakeAsync, ServeAsync);
    }

    /// <summary>The port that is really listened on; 0 before <see cref="StartAsync"/>.</summary>
    public int Port => _host.Port;

    /// <summary>What has been seen so far.</summary>
    public MqttListenerCounters Counters { get; } = new();

    /// <summary>Connections now, those not yet authenticated included.</summary>
    public int Connections
    {
        get
        {
            lock (_arrivals) return _arrivals.Count;
        }
    }

    /// <summary>
    /// Messages that the application has, or will have at once, and whose PUBACK is not yet with their session. An
    /// application that takes no more and waits until there are none knows that none is taken without its PUBACK.
    /// </summary>
    public int PublishesUnderWay => _context.PublishesUnderWay;

    /// <summary>Binds and begins to take connections.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public Task StartAsync(CancellationToken ct)
    {
        if (_isStarted) throw new InvalidOperationException("a listener starts once");
        _isStarted = true;
        return _host.StartAsync(ct);
    }

    /// <summary>
    /// Takes no more connections, says DISCONNECT 0x8B to all sessions and closes them, within about two seconds.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isStopping) return;
        Arrival[] arrivals;
        lock (_arrivals)
        {
            _isStopping = true;
            arrivals = [.. _arrivals];
        }
        if (_isStarted)
        {
            using var patience = new CancellationTokenSource(StopWithin);
            var stopped = _host.StopAsync(patience.Token);
            foreach (var arrival in arrivals) arrival.Stop();
            await stopped;
        }
        await _host.DisposeAsync();
    }

    /// <summary>Serves a link that is not a socket, e.g. a simulated one, until it ends.</summary>
    internal Task ServeAsync(ISessionLink link) =>
        new ServerConnection(_context, link, null, null, _context.Time.GetTimestamp()).RunAsync();

    /// <summary>A connection from its first moment to its last; TLS is a part of what goes on with it.</summary>
    private async Task TakeAsync(ConnectionContext connection, ConnectionDelegate goOn)
    {
        var arrival = new Arrival(connection, _context.Time.GetTimestamp());
        lock (_arrivals)
        {
            if (_isStopping) return;
            if (_arrivals.Count >= _context.Options.ConnectionsMax)
            {
                Counters.CountOverLimit();
                return;
            }
            _arrivals.Add(arrival);
        }
        connection.Features.Set(arrival);
        try
        {
            await goOn(connection);
            if (arrival.Session is null) NoteFailedHandshake(arrival);
        }
        finally
        {
            lock (_arrivals) _arrivals.Remove(arrival);
        }
    }

    private void NoteFailedHandshake(Arrival arrival)
    {
        if (_isStopping) return;
        var took = _context.Time.GetElapsedTime(arrival.At);
        if (took >= _context.Options.Limits.ConnectTimeout - TimerSlack) Counters.CountConnectTimeout();
        else Counters.CountTlsFailure();
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var arrival = connection.Features.Get<Arrival>()!;
        var session = new ServerConnection(
            _context, new KestrelLink(connection), connection.RemoteEndPoint,
            connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate, arrival.At);
        arrival.Session = session;
        if (_isStopping) arrival.Stop();
        await session.RunAsync();
    }

    /// <summary>A connection since it came; it has no session before its TLS handshake is over.</summary>
    private sealed class Arrival(ConnectionContext connection, long at)
    {
        private volatile ServerConnection? _session;

        public long At => at;

        public ServerConnection? Session
        {
            get => _session;
            set => _session = value;
        }

        public void Stop()
        {
            if (Session is { } session) session.Close(Stopping);
            else connection.Abort();
        }
    }
}
