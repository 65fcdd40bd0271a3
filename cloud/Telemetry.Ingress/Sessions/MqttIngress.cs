using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Ingress.Access;
using Telemetry.Ingress.Presence;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.MqttSessions;
using Telemetry.Streams;

namespace Telemetry.Ingress.Sessions;

/// <summary>
/// The ingress on an MQTT 5.0 listener: accepts gateways, lets each use only its own topics, and turns verdicts into
/// PUBACKs. It keeps only sessions and awaited PUBACKs.
/// </summary>
public sealed class MqttIngress : IMqttApplication, IAsyncDisposable
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);

    private readonly IngressCore _core;
    private readonly GatewayGate _gate;
    private readonly IngressCounters _counters;
    private readonly TimeSpan _drain;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MqttListener _listener;
    private readonly RefusalLines _refusalLines, _connectLines;
    private readonly ReportedFailure _unavailable, _framesRefused, _hellosRefused;
    private readonly ConcurrentDictionary<IMqttServerSession, OpenSession> _sessions = new();
    private readonly GatewaySessions _gateways;
    private readonly PresenceBoard? _presence;
    private volatile bool _stopping;

    /// <summary>
    /// Makes an ingress that does not listen yet. A stop waits for awaited PUBACKs at most <paramref name="drain"/>;
    /// frames without one stay with the agents. <paramref name="presence"/> is told who is connected.
    /// </summary>
    public MqttIngress(
        MqttListenerOptions options,
        IngressCore core,
        GatewayGate gate,
        IngressCounters counters,
        TimeSpan drain,
        TimeProvider time,
        ILogger logger,
        PresenceBoard? presence = null)
    {
        _presence = presence;
        (_core, _gate, _counters, _drain, _time, _logger) = (core, gate, counters, drain, time, logger);
        (_refusalLines, _connectLines) = (new RefusalLines(time), new RefusalLines(time));
        _unavailable = new ReportedFailure(
            "Gateways that connect are refused for now, as NATS is out of reach",
            "Gateways that connect are let in again", time, logger);
        _framesRefused = new ReportedFailure(
            "Frames are refused for now and wait at the edge", "Frames are taken again", time, logger);
        _hellosRefused = new ReportedFailure(
            "Hellos are refused for now and will be repeated", "Hellos are taken again", time, logger);
        _gateways = new GatewaySessions(core.Options.SessionsPerGatewayMax);
        _listener = new MqttListener(options, this, time);
        CertificateEnd = options.Tls?.Certificate.NotAfter.ToUniversalTime();
    }

    /// <summary>The port on which it listens.</summary>
    public int Port => _listener.Port;

    /// <summary>The number of connections now.</summary>
    public int Connections => _listener.Connections;

    /// <summary>When the certificate ends; null without TLS.</summary>
    public DateTimeOffset? CertificateEnd { get; }

    /// <summary>Checks passwords; null when password connections are refused.</summary>
    public PasswordHandler? Passwords => _gate.Passwords;

    /// <summary>The counters of the listener.</summary>
    public MqttListenerCounters ListenerCounters => _listener.Counters;

    /// <summary>Begins to listen; throws <see cref="System.Net.Sockets.SocketException"/> on failure.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _listener.StartAsync(cancellationToken);
        IngressLog.Listening(_logger, _listener.Port);
    }

    /// <summary>Refuses new publishes, waits a bounded time for awaited PUBACKs, then closes all sessions.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;

        // A call that was counted before this either sees the stop or is seen here.
        Interlocked.MemoryBarrier();
        var since = _time.GetTimestamp();
        while (_listener.PublishesUnderWay > 0 && _time.GetElapsedTime(since) < _drain)
        {
            await Task.Delay(DrainPoll, _time);
        }

        if (_listener.PublishesUnderWay is > 0 and var left)
        {
            IngressLog.StoppedUndrained(_logger, left);
        }

        await _listener.DisposeAsync();
    }

    async ValueTask<AuthenticateResult> IMqttApplication.AuthenticateAsync(ConnectRequest request, CancellationToken ct)
    {
        var result = await _gate.AuthenticateAsync(request, ct);
        if (result.ReasonCode >= MqttReasonCode.UnspecifiedError)
        {
            _counters.Count(IngressEvent.ConnectRefused);
            if (_connectLines.TryTake(out var notLogged))
            {
                IngressLog.ConnectRefused(
                    _logger, request.RemoteEndPoint, (byte)result.ReasonCode, result.ReasonString, notLogged);
            }
        }

        return result;
    }

    async ValueTask IMqttApplication.ConnectedAsync(IMqttServerSession session, CancellationToken ct)
    {
        var gateway = GatewayOf(session);
        var topic = MqttTopics.Down(gateway);
        try
        {
            var down = await _core.OpenSessionAsync(gateway, message => SendDown(session, topic, message), ct);
            _sessions[session] = new OpenSession(down);
            _presence?.Connected(gateway, VersionOf(session));
            _unavailable.Worked();
            if (_gateways.Add(gateway, session) is { } oldest)
            {
                _counters.Count(IngressEvent.SessionDisplaced);
                _ = oldest.DisconnectAsync(
                    MqttReasonCode.QuotaExceeded,
                    $"{gateway} has more than {_core.Options.SessionsPerGatewayMax} sessions: its oldest is closed");
            }
        }
        catch (FrameLogException e)
        {
            _counters.Count(IngressEvent.ConnectUnavailable);
            _unavailable.Failed($"{gateway}: {e.Message}");
            throw;
        }
    }

    void IMqttApplication.Disconnected(IMqttServerSession session, MqttCloseReason reason)
    {
        if (_sessions.TryRemove(session, out var open))
        {
            _gateways.Remove(GatewayOf(session), session);
            _presence?.Disconnected(GatewayOf(session));
            _ = CloseAsync(open.Down);
        }
    }

    /// <summary>
    /// Topics are checked with the publish, so that its PUBACK can carry a reason. A publish of QoS 0 has no PUBACK: it
    /// is discarded and counted, and the session's next PUBACK informs its sender.
    /// </summary>
    MqttReasonCode IMqttApplication.AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos)
    {
        if (qos == MqttQos.AtLeastOnce)
        {
            return MqttReasonCode.Success;
        }

        _counters.Count(IngressEvent.Qos0Refused);
        if (_sessions.TryGetValue(session, out var open))
        {
            open.CountQos0();
        }

        LogRefused(
            GatewayOf(session), (byte)MqttReasonCode.ImplementationSpecificError,
            "a message of QoS 0 was thrown away, as nothing would acknowledge it");
        return MqttReasonCode.ImplementationSpecificError;
    }

    MqttReasonCode IMqttApplication.AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos)
    {
        if (filter == MqttTopics.Down(GatewayOf(session)))
        {
            return MqttReasonCode.Success;
        }

        _counters.Count(IngressEvent.TopicForeign);
        return MqttReasonCode.NotAuthorized;
    }

    async ValueTask<PublishVerdict> IMqttApplication.PublishedAsync(
        IMqttServerSession session, MqttMessage message, CancellationToken ct)
    {
        if (_stopping)
        {
            return new(MqttReasonCode.ImplementationSpecificError, ReasonString: "stopping");
        }

        var gateway = GatewayOf(session);
        var verdict = await _core.PublishedAsync(gateway, message.Topic, message.Payload, ct);
        Note(gateway, message.Topic, verdict);
        if (verdict.ReasonCode == IngressVerdict.Success)
        {
            NoteClock(gateway, message.Topic, message.Payload.Span);
        }

        return new(
            (MqttReasonCode)verdict.ReasonCode,
            verdict.ReceiptProperty is { } receipt ? [new(Receipt.PropertyName, receipt)] : null,
            verdict.Reason ?? Qos0Reason(session));
    }

    /// <summary>
    /// False: not now. A session that has not subscribed yet accepts nothing; one that has ended accepts everything.
    /// </summary>
    private bool SendDown(IMqttServerSession session, string topic, ReadOnlyMemory<byte> message)
    {
        switch (session.TrySend(topic, message))
        {
            case MqttSendOutcome.QueueFull or MqttSendOutcome.NotSubscribed:
                return false;
            case MqttSendOutcome.TooLarge:
                _counters.Count(IngressEvent.DownDropped);
                return true;
            default:
                return true;
        }
    }

    /// <summary>
    /// A refusal that is not the gateway's fault counts as one failure, however many gateways are refused and for how
    /// long.
    /// </summary>
    private void Note(GatewayId gateway, string topic, in IngressVerdict verdict)
    {
        var failure = topic == MqttTopics.Hello(gateway) ? _hellosRefused : _framesRefused;
        switch (verdict.ReasonCode)
        {
            case IngressVerdict.Unavailable or IngressVerdict.Full:
                failure.Failed($"{gateway}: {verdict.Reason}");
                break;
            case >= 0x80:
                LogRefused(gateway, verdict.ReasonCode, verdict.Reason);
                break;
            default:
                failure.Worked();
                break;
        }
    }

    // The message was checked, so that it can be read.
    private void NoteClock(GatewayId gateway, string topic, ReadOnlySpan<byte> payload)
    {
        if (_presence is null)
        {
            return;
        }

        if (topic == MqttTopics.Hello(gateway))
        {
            var hello = Hello.Read(payload);
            _presence.Heard(gateway, hello.ClockMicros, hello.ClockSynchronised);
        }
        else
        {
            _presence.Heard(gateway, FrameEnvelope.Read(payload, out _).SentAtMicros, synchronised: null);
        }
    }

    private static string VersionOf(IMqttServerSession session) =>
        session.UserProperties.FirstOrDefault(p => p.Name == MqttTopics.AgentVersionProperty).Value ?? "";

    private string? Qos0Reason(IMqttServerSession session) =>
        _sessions.TryGetValue(session, out var open) && open.TakeQos0() is > 0 and var messages
            ? $"{messages} messages of QoS 0 were thrown away, as nothing would acknowledge them: publish with QoS 1"
            : null;

    private void LogRefused(GatewayId gateway, byte code, string? reason)
    {
        if (_refusalLines.TryTake(out var notLogged))
        {
            IngressLog.PublishRefused(_logger, gateway, code, reason, notLogged);
        }
    }

    private static GatewayId GatewayOf(IMqttServerSession session) =>
        GatewayGate.TryGatewayOf(session.ClientId, out var gateway)
            ? gateway
            : throw new InvalidOperationException($"session of '{session.ClientId}' was let in without a gateway id");

    private async Task CloseAsync(IAsyncDisposable down)
    {
        try
        {
            await down.DisposeAsync();
        }
        catch (Exception e)
        {
            IngressLog.CloseFailed(_logger, e.Message);
        }
    }

    /// <summary>
    /// The state of a session: its messages from the owner, and the discarded messages of QoS 0 to report to its
    /// sender.
    /// </summary>
    private sealed class OpenSession(IAsyncDisposable down)
    {
        private int _qos0;

        public IAsyncDisposable Down => down;

        public void CountQos0() => Interlocked.Increment(ref _qos0);

        public int TakeQos0() => Volatile.Read(ref _qos0) == 0 ? 0 : Interlocked.Exchange(ref _qos0, 0);
    }
}
