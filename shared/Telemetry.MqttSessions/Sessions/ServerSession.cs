using System.Buffers;
using MQTTnet.Packets;
using Telemetry.MqttSessions.Packets;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>
/// The server's end of one connection, as a state machine: bytes, calls and the time go in; events and bytes come out.
/// It knows no socket, clock or task. Only one thread at a time may call it (its owner holds a lock); <c>now</c> is a
/// monotonic time that never falls.
/// </summary>
/// <remarks>
/// <code>
///   AwaitingConnect ──CONNECT──► Authenticating ──Accept──► Connected ──► closed
///         └── connect timeout ────────┴── Refuse: CONNACK with the reason ──┘
/// </code>
/// MQTT 5.0 alone is served. A CONNECT of 3.1.1 is told so in that version; to serve it too, the phases, limits and
/// acknowledgements stay as they are, <see cref="PacketCodec"/> takes a second formatter, and its answers carry no
/// properties and no DISCONNECT.
/// </remarks>
internal sealed class ServerSession
{
    private enum Phase { AwaitingConnect, Authenticating, Connected }

    /// <summary>
    /// Answers not yet written; beyond it reading pauses, so a client that only asks cannot fill memory.
    /// </summary>
    private const int AnswerBytesMax = 64 * 1024;

    private readonly MqttSessionLimits _limits;
    private readonly ISessionAuthorizer _authorizer;
    private readonly TimeSpan _opened;
    private readonly IncomingPublishes _incoming;
    private readonly ServerSubscriptions _subscriptions;
    private readonly SessionAnswers _answers = new();
    private OutgoingPublishes? _outgoing;
    private MqttConnectPacket? _connect;
    private Phase _phase;
    private bool _speaksVersion5;
    private bool _askedForExpiry;
    private int _clientReceiveMaximum;
    private TimeSpan _keepAlive;
    private TimeSpan _lastReceived;
    private TimeSpan? _writingSince;

    public ServerSession(MqttSessionLimits limits, ISessionAuthorizer authorizer, TimeSpan now)
    {
        _limits = limits;
        _authorizer = authorizer;
        _opened = _lastReceived = now;
        _incoming = new IncomingPublishes(limits.ReceiveMaximum, limits.InFlightBytesMax);
        _subscriptions = new ServerSubscriptions(limits.SubscriptionsMax, authorizer.AuthorizeSubscribe);
    }

    /// <summary>What happened, in order. The owner takes from it after each call.</summary>
    public Queue<SessionEvent> Events { get; } = [];

    /// <summary>Why the session ended; null while it lasts.</summary>
    public MqttCloseReason? Closed { get; private set; }

    /// <summary>Messages that wait to be sent.</summary>
    public int Queued => _outgoing?.Queued ?? 0;

    /// <summary>
    /// False while reading pauses (back-pressure). True once closed: bytes are then taken and thrown away.
    /// </summary>
    public bool WantsInput => Closed is not null
        || (_phase != Phase.Authenticating && !_incoming.IsFull && _answers.Bytes < AnswerBytesMax);

    /// <summary>When <see cref="Advance"/> has to be called at the latest; null: no time limit runs.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            if (Closed is not null) return null;
            var own = Deadline;
            var stall = _writingSince + _limits.OutputStallTimeout;
            return own is null ? stall : stall is null || own < stall ? own : stall;
        }
    }

    /// <summary>Keep-alive does not run while the application is the one that holds reading up.</summary>
    private TimeSpan? Deadline =>
        _phase != Phase.Connected ? _opened + _limits.ConnectTimeout
        : _incoming.IsFull ? null : _lastReceived + (1.5 * _keepAlive);

    /// <summary>Largest packet taken in the present state, bytes.</summary>
    private int PacketBytesMax => _phase == Phase.Connected
        ? _limits.PacketBytesMax : Math.Min(_limits.ConnectBytesMax, _limits.PacketBytesMax);

    /// <summary>Takes every whole packet off the front, as long as input is wanted; the rest stays.</summary>
    public void Receive(ref ReadOnlySequence<byte> bytes, TimeSpan now)
    {
        _lastReceived = now;
        while (Closed is null && WantsInput)
        {
            try
            {
                if (!PacketScanner.TryRead(ref bytes, PacketBytesMax, out var packet)) return;
                Handle(packet);
            }
            catch (MqttProtocolException e)
            {
                Fail(e);
            }
        }
        if (Closed is not null) bytes = bytes.Slice(bytes.End);
    }

    /// <summary>
    /// Moves waiting output into <paramref name="output"/>: answers, PUBACKs, then messages, up to about the limit.
    /// </summary>
    /// <returns>How many bytes were moved.</returns>
    public int TakeOutput(IBufferWriter<byte> output, int bytesMax, TimeSpan now)
    {
        if (Closed is null)
        {
            while (_answers.Bytes < bytesMax && _incoming.TryTakeFinished(out var finished))
                _answers.AddPubAck(finished);
        }
        int taken = _answers.MoveTo(output);
        if (Closed is null && _outgoing is not null)
        {
            // The first packet is taken whatever its size; all others have to fit.
            while (_outgoing.WriteNext(output, taken == 0 ? long.MaxValue : bytesMax - taken) is > 0 and var bytes)
                taken += bytes;
        }
        if (taken > 0) _writingSince ??= now;
        return taken;
    }

    /// <summary>The bytes taken last have been handed to the network.</summary>
    public void Written() => _writingSince = null;

    /// <summary>The application has finished with a received message; for QoS 1 the PUBACK may leave.</summary>
    public void Complete(IncomingPublish ticket, PublishVerdict verdict, TimeSpan now)
    {
        bool paused = _incoming.IsFull;
        _incoming.Complete(ticket, verdict);
        if (paused) _lastReceived = now;
    }

    /// <summary>
    /// Answers the CONNECT with success. Session present is 0 and the session ends with the connection, always.
    /// </summary>
    public void Accept(IReadOnlyList<MqttUserProperty>? userProperties, TimeSpan now)
    {
        if (Closed is not null || _phase != Phase.Authenticating) return;
        var asked = _connect!;
        _connect = null;
        _clientReceiveMaximum = asked.ReceiveMaximum == 0 ? ushort.MaxValue : asked.ReceiveMaximum;
        if (asked.MaximumPacketSize != 0) _answers.PacketBytesMax = asked.MaximumPacketSize;
        _answers.Explains = asked.RequestProblemInformation;
        _askedForExpiry = asked.SessionExpiryInterval > 0;
        _keepAlive = TimeSpan.FromSeconds(asked.KeepAlivePeriod);
        bool caps = _keepAlive == TimeSpan.Zero || _keepAlive > _limits.KeepAliveMax;
        if (caps) _keepAlive = TimeSpan.FromSeconds(Math.Floor(_limits.KeepAliveMax.TotalSeconds));
        _answers.AddConnAck(
            ConnectAnswer.Accepted(_limits, caps ? (ushort)_keepAlive.TotalSeconds : (ushort)0, userProperties),
            endsWithConnection: _askedForExpiry);
        _phase = Phase.Connected;
        _lastReceived = now;
    }

    /// <summary>Answers the CONNECT with a failure and ends.</summary>
    public void Refuse(MqttReasonCode code, string text) => Refuse(MqttCloseKind.Refused, code, text);

    /// <summary>Offers a message. Its QoS is lowered to what was granted to the matching filter.</summary>
    public MqttSendOutcome TrySend(OutgoingPublish publish)
    {
        if (Closed is not null) return MqttSendOutcome.Closed;
        if (_subscriptions.Granted(publish.Topic) is not { } granted) return MqttSendOutcome.NotSubscribed;
        if (granted < publish.Qos) publish.Qos = granted;
        _outgoing ??= new OutgoingPublishes(
            _limits.QueuedMessagesMax, _limits.QueuedBytesMax, _clientReceiveMaximum, _answers.PacketBytesMax);
        return _outgoing.TryEnqueue(publish);
    }

    /// <summary>Lets time limits take effect.</summary>
    public void Advance(TimeSpan now)
    {
        if (Closed is not null) return;
        if (now - _writingSince >= _limits.OutputStallTimeout)
            Close(new(MqttCloseKind.OutputStalled, MqttReasonCode.UnspecifiedError,
                "peer did not take our bytes in time"));
        else if (Deadline is { } deadline && now >= deadline)
            EndInTime();
    }

    /// <summary>The network connection ended.</summary>
    public void ConnectionLost(string text) =>
        End(new MqttCloseReason(MqttCloseKind.ConnectionLost, MqttReasonCode.UnspecifiedError, text));

    /// <summary>
    /// Ends the session; says DISCONNECT with the reason where the protocol allows it, which is after the CONNACK.
    /// </summary>
    public void Close(MqttCloseReason reason)
    {
        if (Closed is not null) return;
        if (_phase == Phase.Connected)
        {
            while (_incoming.TryTakeFinished(out var finished)) _answers.AddPubAck(finished);
            _answers.AddDisconnect(reason);
        }
        End(reason);
    }

    private void EndInTime()
    {
        if (_phase == Phase.Connected)
            Close(new MqttCloseReason(MqttCloseKind.KeepAliveTimeout, MqttReasonCode.KeepAliveTimeout,
                "nothing came for 1.5 times the keep-alive"));
        else if (_phase == Phase.Authenticating)
            Refuse(MqttCloseKind.ConnectTimeout, MqttReasonCode.ServerBusy, "authentication took too long");
        else
            End(new MqttCloseReason(MqttCloseKind.ConnectTimeout, MqttReasonCode.UnspecifiedError,
                "no CONNECT came in time"));
    }

    private void Handle(in RawPacket packet)
    {
        if (_phase == Phase.AwaitingConnect)
        {
            HandleConnect(packet);
            return;
        }
        if (packet.Type == PacketType.Publish)
        {
            HandlePublish(packet);
            return;
        }
        switch (PacketCodec.Read(packet))
        {
            case MqttPubAckPacket ack:
                if (_outgoing?.Acknowledge(ack.PacketIdentifier) != true)
                    throw MqttProtocolException.Protocol("PUBACK for a message that was not sent");
                break;
            case MqttSubscribePacket subscribe:
                _answers.Add(_subscriptions.Subscribe(subscribe, Events));
                break;
            case MqttUnsubscribePacket unsubscribe:
                _answers.Add(_subscriptions.Unsubscribe(unsubscribe));
                break;
            case MqttPingReqPacket:
                _answers.Add(MqttPingRespPacket.Instance);
                break;
            case MqttDisconnectPacket disconnect:
                HandleDisconnect(disconnect);
                break;
        }
    }

    private void HandleConnect(in RawPacket packet)
    {
        if (packet.Type != PacketType.Connect) throw MqttProtocolException.Protocol("first packet is not CONNECT");
        var bytes = packet.Body.IsSingleSegment ? packet.Body.FirstSpan : packet.Body.ToArray();
        var body = new BodyScanner(bytes);
        byte level = PacketGrammar.ConnectLevel(ref body);
        if (level is 3 or 4)
        {
            _answers.Add(ConnectAnswer.RefusedLevel311);
            End(new MqttCloseReason(MqttCloseKind.Refused, MqttReasonCode.UnsupportedProtocolVersion,
                $"protocol level {level}"));
            return;
        }
        _speaksVersion5 = true;
        if (level != PacketGrammar.Level5)
        {
            Refuse(MqttReasonCode.UnsupportedProtocolVersion, $"protocol level {level}");
            return;
        }
        PacketGrammar.CheckConnect(ref body);
        var connect = PacketCodec.ReadConnect(bytes);
        if (ConnectAnswer.Refusal(connect) is { } refusal)
        {
            Refuse(refusal.Code, refusal.Text);
            return;
        }
        _connect = connect;
        _phase = Phase.Authenticating;
        Events.Enqueue(new ConnectRequested(connect));
    }

    private void HandlePublish(in RawPacket raw)
    {
        var (packet, payload) = PacketCodec.ReadPublish(raw);
        var qos = (MqttQos)packet.QualityOfServiceLevel;
        PublishRules.Check(packet);
        var code = _authorizer.AuthorizePublish(packet.Topic, qos);
        if (code < MqttReasonCode.UnspecifiedError)
        {
            var message = new MqttMessage
            {
                Topic = packet.Topic,
                Payload = payload,
                Qos = qos,
                IsDuplicate = packet.Dup,
                UserProperties = PacketCodec.FromCodec(packet.UserProperties),
            };
            Events.Enqueue(new MessageArrived(
                message, _incoming.Add(packet.PacketIdentifier, qos, (int)raw.Body.Length)));
            return;
        }
        Events.Enqueue(new PublishRefused(code));
        // A refused QoS 0 message has no answer. A DISCONNECT would take the session's QoS 1 messages with it, so the
        // application tells the sender.
        if (qos == MqttQos.AtLeastOnce)
            _incoming.Complete(_incoming.Add(packet.PacketIdentifier, qos, 0), new PublishVerdict(code));
    }

    private void HandleDisconnect(MqttDisconnectPacket packet)
    {
        if (packet.SessionExpiryInterval > 0 && !_askedForExpiry)
            throw MqttProtocolException.Protocol("session expiry set at DISCONNECT only");
        End(new MqttCloseReason(MqttCloseKind.Peer, (MqttReasonCode)packet.ReasonCode,
            packet.ReasonString ?? "client disconnected"));
    }

    /// <summary>
    /// Before the CONNACK there is no DISCONNECT: a broken CONNECT is answered in a CONNACK, all else not at all.
    /// </summary>
    private void Fail(MqttProtocolException e)
    {
        if (_phase != Phase.Connected && _speaksVersion5) Refuse(MqttCloseKind.ProtocolError, e.ReasonCode, e.Message);
        else Close(new MqttCloseReason(MqttCloseKind.ProtocolError, e.ReasonCode, e.Message));
    }

    private void Refuse(MqttCloseKind kind, MqttReasonCode code, string text)
    {
        if (Closed is not null || _phase == Phase.Connected) return;
        _answers.Add(ConnectAnswer.Refused(code, text));
        End(new MqttCloseReason(kind, code, text));
    }

    /// <summary>Ends without a further packet.</summary>
    private void End(MqttCloseReason reason)
    {
        if (Closed is not null) return;
        Closed = reason;
        Events.Enqueue(new SessionClosed(reason));
    }
}
