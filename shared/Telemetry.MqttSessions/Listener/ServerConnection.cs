using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Packets;
using Telemetry.MqttSessions.Packets;
using Telemetry.MqttSessions.Sessions;
using Telemetry.MqttSessions.Topics;
using Telemetry.MqttSessions.Transport;

namespace Telemetry.MqttSessions.Listener;

/// <summary>What all connections of one listener share.</summary>
internal sealed record ListenerContext(
    MqttListenerOptions Options, IMqttApplication Application, TimeProvider Time, MqttListenerCounters Counters,
    SessionRegistry Registry)
{
    private int _publishesUnderWay;

    /// <summary>See <see cref="MqttListener.PublishesUnderWay"/>.</summary>
    public int PublishesUnderWay => Volatile.Read(ref _publishesUnderWay);

    public void BeginPublish() => Interlocked.Increment(ref _publishesUnderWay);

    public void EndPublish() => Interlocked.Decrement(ref _publishesUnderWay);
}

/// <summary>Joins one connection's session with the application.</summary>
internal sealed class ServerConnection : IMqttServerSession, ISessionAuthorizer
{
    private readonly ListenerContext _context;
    private readonly ServerSession _session;
    private readonly SessionConnection _connection;
    private readonly X509Certificate2? _certificate;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _released = new();
    private Task _running = Task.CompletedTask;
    private ServerConnection? _previous;
    private bool _isAnnounced;

    /// <summary>The session's end, and the admission while it runs: who comes last releases.</summary>
    private int _holders = 1;

    public ServerConnection(
        ListenerContext context, ISessionLink link, EndPoint? remote, X509Certificate2? certificate, long startedAt)
    {
        _context = context;
        _certificate = certificate;
        RemoteEndPoint = remote;
        _session = new ServerSession(context.Options.Limits, this, TimeSpan.Zero);
        _connection = new SessionConnection(link, _session, context.Time, startedAt, Handle);
    }

    public string ClientId { get; private set; } = "";

    public string? UserName { get; private set; }

    public EndPoint? RemoteEndPoint { get; }

    public IReadOnlyList<MqttUserProperty> UserProperties { get; private set; } = [];

    public int QueuedMessages
    {
        get
        {
            lock (_connection.Gate) return _session.Queued;
        }
    }

    public Task RunAsync() => _running = _connection.RunAsync();

    public void Close(MqttCloseReason reason)
    {
        lock (_connection.Gate) _session.Close(reason);
        _connection.Touched();
    }

    public MqttSendOutcome TrySend(
        string topic, ReadOnlyMemory<byte> payload, MqttQos qos = MqttQos.AtMostOnce,
        IReadOnlyList<MqttUserProperty>? userProperties = null)
    {
        var publish = OutgoingPublish.Create(topic, payload, qos, userProperties);
        MqttSendOutcome outcome;
        lock (_connection.Gate) outcome = _session.TrySend(publish);
        if (outcome == MqttSendOutcome.Queued) _connection.Wake();
        return outcome;
    }

    public Task DisconnectAsync(MqttReasonCode reason, string text)
    {
        WireText.Check(text, nameof(text));
        Close(new MqttCloseReason(MqttCloseKind.Local, reason, text));
        return _running;
    }

    MqttReasonCode ISessionAuthorizer.AuthorizePublish(string topic, MqttQos qos) =>
        Ask(topic, qos, _context.Application.AuthorizePublish);

    MqttReasonCode ISessionAuthorizer.AuthorizeSubscribe(string filter, MqttQos qos) =>
        Ask(filter, qos, _context.Application.AuthorizeSubscribe);

    private MqttReasonCode Ask(string topic, MqttQos qos, Func<IMqttServerSession, string, MqttQos, MqttReasonCode> ask)
    {
        try
        {
            return ask(this, topic, qos);
        }
        catch (Exception)
        {
            _context.Counters.CountApplicationError();
            return MqttReasonCode.UnspecifiedError;
        }
    }

    private void Handle(SessionEvent e)
    {
        switch (e)
        {
            case ConnectRequested requested:
                Interlocked.Increment(ref _holders);
                _ = AdmitAsync(requested.Packet);
                break;
            case MessageArrived arrived:
                _context.Counters.CountMessage();
                _ = DeliverAsync(arrived);
                break;
            case PublishRefused:
                _context.Counters.CountUnauthorizedPublish();
                break;
            case SubscribeRefused:
                _context.Counters.CountRefusedSubscription();
                break;
            case SessionClosed closed:
                _context.Counters.Count(closed.Reason);
                _ending.Cancel();
                _ = ReleaseAsync();
                break;
        }
    }

    /// <summary>Authenticate, end the older session, announce, and only then say CONNACK.</summary>
    private async Task AdmitAsync(MqttConnectPacket packet)
    {
        ClientId = packet.ClientId;
        UserName = packet.Username;
        UserProperties = PacketCodec.FromCodec(packet.UserProperties);
        try
        {
            var result = await _context.Application.AuthenticateAsync(Request(packet), _ending.Token);
            if (result.ReasonCode >= MqttReasonCode.UnspecifiedError)
            {
                Refuse(result.ReasonCode, result.ReasonString ?? "refused");
                return;
            }
            WireText.Check(result.UserProperties);
            _previous = _context.Registry.Replace(ClientId, this);
            if (_previous is not null) await TakeOverAsync(_previous);
            _ending.Token.ThrowIfCancellationRequested();
            _isAnnounced = true;
            await _context.Application.ConnectedAsync(this, _ending.Token);
            lock (_connection.Gate)
            {
                if (_session.Closed is not null) return;
                _session.Accept(result.UserProperties, _connection.Now);
            }
            _context.Counters.CountAccepted();
            _connection.Touched();
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The connection ended meanwhile: there is nobody left to answer.
        }
        catch (Exception)
        {
            _context.Counters.CountApplicationError();
            Refuse(_isAnnounced ? MqttReasonCode.ServerUnavailable : MqttReasonCode.UnspecifiedError,
                "application failed");
        }
        finally
        {
            await ReleaseAsync();
        }
    }

    private Task TakeOverAsync(ServerConnection previous)
    {
        previous.Close(new MqttCloseReason(
            MqttCloseKind.TakenOver, MqttReasonCode.SessionTakenOver,
            "another connection uses this client identifier"));
        return previous._released.Task.WaitAsync(_ending.Token);
    }

    private async Task DeliverAsync(MessageArrived arrived)
    {
        _context.BeginPublish();
        PublishVerdict verdict;
        try
        {
            verdict = await _context.Application.PublishedAsync(this, arrived.Message, _ending.Token);
            WireText.Check(verdict.UserProperties);
            WireText.Check(verdict.ReasonString, "reason string");
        }
        catch (Exception)
        {
            if (!_ending.IsCancellationRequested) _context.Counters.CountApplicationError();
            verdict = new PublishVerdict(MqttReasonCode.UnspecifiedError);
        }
        lock (_connection.Gate) _session.Complete(arrived.Ticket, verdict, _connection.Now);
        _context.EndPublish();
        _connection.Wake();
    }

    private void Refuse(MqttReasonCode code, string text)
    {
        lock (_connection.Gate) _session.Refuse(code, text);
        _connection.Touched();
    }

    /// <summary>
    /// Tells the application that the session has ended, once, after the one before it was told: so an application sees
    /// connected and disconnected of one client identifier strictly in turn.
    /// </summary>
    private async Task ReleaseAsync()
    {
        if (Interlocked.Decrement(ref _holders) > 0) return;
        if (_previous is not null) await _previous._released.Task;
        _previous = null;
        try
        {
            if (_isAnnounced) _context.Application.Disconnected(this, _session.Closed!);
        }
        catch (Exception)
        {
            _context.Counters.CountApplicationError();
        }
        _context.Registry.Remove(ClientId, this);
        _released.TrySetResult();
    }

    private ConnectRequest Request(MqttConnectPacket packet) => new()
    {
        ClientId = packet.ClientId,
        UserName = packet.Username,
        Password = packet.Password,
        ClientCertificate = _certificate,
        RemoteEndPoint = RemoteEndPoint,
        UserProperties = UserProperties,
    };
}
