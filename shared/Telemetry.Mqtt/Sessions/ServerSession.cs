using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>What a listener's session asks the application about, at once and without waiting.</summary>
internal interface ISessionAuthorizer
{
    MqttReasonCode AuthorizePublish(string topic, MqttQos qos);

    MqttReasonCode AuthorizeSubscribe(string filter, MqttQos qos);
}

/// <summary>The listener's end of one connection. See <see cref="MqttSession"/> for who may call it.</summary>
/// <remarks>
/// <code>
///   AwaitingConnect ──CONNECT──► Authenticating ──Accept──► Connected ──► closed
///         └── connect timeout ────────┴── Refuse: CONNACK with the reason ──┘
/// </code>
/// </remarks>
internal sealed class ServerSession : MqttSession
{
    private enum Phase { AwaitingConnect, Authenticating, Connected }

    private readonly ISessionAuthorizer _authorizer;
    private readonly TimeSpan _opened;
    private Phase _phase;
    private ConnectPacket? _connect;
    private TimeSpan _keepAlive;

    public ServerSession(MqttSessionLimits limits, ISessionAuthorizer authorizer, TimeSpan now)
        : base(limits, limits.QueuedMessagesMax, limits.QueuedBytesMax)
    {
        _authorizer = authorizer;
        _opened = LastReceived = now;
        Subscriptions = new ServerSubscriptions(limits.SubscriptionsMax, authorizer.AuthorizeSubscribe);
    }

    public ServerSubscriptions Subscriptions { get; }

    protected override int PacketBytesMax =>
        _phase == Phase.Connected ? Limits.PacketBytesMax : Math.Min(Limits.ConnectBytesMax, Limits.PacketBytesMax);

    protected override bool IsHolding => _phase == Phase.Authenticating;

    protected override bool MayDisconnect => _phase == Phase.Connected;

    protected override bool MayExplain => _connect?.Properties.Number(PropertyId.RequestProblemInformation) != 0;

    /// <summary>Keep-alive does not run while the application is the one that holds reading up.</summary>
    protected override TimeSpan? Deadline =>
        _phase != Phase.Connected ? _opened + Limits.ConnectTimeout
        : Incoming.IsFull ? null : LastReceived + (1.5 * _keepAlive);

    /// <summary>
    /// Answers the CONNECT with success. Session present is 0 and the session ends with the connection, always.
    /// </summary>
    public void Accept(IReadOnlyList<MqttUserProperty>? userProperties, TimeSpan now)
    {
        if (Closed is not null || _phase != Phase.Authenticating) return;
        var asked = _connect!.Properties;
        Outgoing.WindowMax = (int)(asked.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue);
        Outgoing.PeerPacketBytesMax = asked.Number(PropertyId.MaximumPacketSize) ?? PacketScanner.PacketBytesLargest;
        var properties = new PropertyList()
            .Add(PropertyId.ReceiveMaximum, (uint)Limits.ReceiveMaximum)
            .Add(PropertyId.MaximumQos, 1)
            .Add(PropertyId.RetainAvailable, 0)
            .Add(PropertyId.MaximumPacketSize, (uint)Limits.PacketBytesMax)
            .Add(PropertyId.TopicAliasMaximum, 0)
            .Add(PropertyId.WildcardSubscriptionAvailable, 1)
            .Add(PropertyId.SubscriptionIdentifierAvailable, 0)
            .Add(PropertyId.SharedSubscriptionAvailable, 0);
        if (asked.Number(PropertyId.SessionExpiryInterval) is > 0) properties.Add(PropertyId.SessionExpiryInterval, 0);
        _keepAlive = TimeSpan.FromSeconds(_connect.KeepAliveSeconds);
        if (_keepAlive == TimeSpan.Zero || _keepAlive > Limits.KeepAliveMax)
        {
            _keepAlive = TimeSpan.FromSeconds(Math.Floor(Limits.KeepAliveMax.TotalSeconds));
            properties.Add(PropertyId.ServerKeepAlive, (uint)_keepAlive.TotalSeconds);
        }
        properties.Add(userProperties);
        new ConnAckPacket(MqttReasonCode.Success, SessionPresent: false, properties).Write(Control);
        _phase = Phase.Connected;
        LastReceived = now;
    }

    /// <summary>Answers the CONNECT with a failure and ends.</summary>
    public void Refuse(MqttReasonCode code, string text) => Refuse(MqttCloseKind.Refused, code, text);

    /// <summary>Offers a message. Its QoS is lowered to what was granted to the matching filter.</summary>
    public MqttSendOutcome TrySend(OutgoingPublish publish)
    {
        if (Closed is not null) return MqttSendOutcome.Closed;
        if (Subscriptions.Granted(publish.Topic) is not { } granted) return MqttSendOutcome.NotSubscribed;
        if (granted < publish.Qos) publish.Qos = granted;
        return Outgoing.TryEnqueue(publish) switch
        {
            EnqueueOutcome.Queued => MqttSendOutcome.Queued,
            EnqueueOutcome.Full => MqttSendOutcome.QueueFull,
            _ => MqttSendOutcome.TooLarge,
        };
    }

    protected override void OnTime(TimeSpan now)
    {
        if (Deadline is not { } deadline || now < deadline) return;
        if (_phase == Phase.Connected)
            Close(new MqttCloseReason(MqttCloseKind.KeepAliveTimeout, MqttReasonCode.KeepAliveTimeout,
                "nothing came for 1.5 times the keep-alive"));
        else if (_phase == Phase.Authenticating)
            Refuse(MqttCloseKind.ConnectTimeout, MqttReasonCode.ServerBusy, "authentication took too long");
        else
            End(new MqttCloseReason(MqttCloseKind.ConnectTimeout, MqttReasonCode.UnspecifiedError,
                "no CONNECT came in time"));
    }

    protected override void Handle(RawPacket packet, TimeSpan now)
    {
        if (_phase == Phase.AwaitingConnect)
        {
            HandleConnect(packet);
            return;
        }
        var reader = new BodyReader(packet.Type == PacketType.Publish ? default : Contiguous(packet.Body));
        switch (packet.Type)
        {
            case PacketType.Publish:
                HandlePublish(packet, now);
                break;
            case PacketType.PubAck:
                Acknowledged(packet);
                break;
            case PacketType.Subscribe:
                Subscriptions.Subscribe(SubscribePacket.Read(ref reader), Control, Events);
                break;
            case PacketType.Unsubscribe:
                Subscriptions.Unsubscribe(UnsubscribePacket.Read(ref reader), Control);
                break;
            case PacketType.PingReq:
                PingPacket.Read(packet.Type, ref reader);
                new PingPacket(PacketType.PingResp).Write(Control);
                break;
            case PacketType.Disconnect:
                HandleDisconnect(DisconnectPacket.Read(packet.Type, ref reader));
                break;
            default:
                throw MqttProtocolException.Protocol($"{packet.Type} is not expected from a client");
        }
    }

    /// <summary>
    /// Before the CONNACK there is no DISCONNECT: a broken CONNECT is answered in a CONNACK, all else not at all.
    /// </summary>
    protected override void Fail(MqttProtocolException e)
    {
        if (_phase == Phase.Connected || _connect is null) base.Fail(e);
        else Refuse(MqttCloseKind.ProtocolError, e.ReasonCode, e.Message);
    }

    private void HandleConnect(RawPacket packet)
    {
        if (packet.Type != PacketType.Connect) throw MqttProtocolException.Protocol("first packet is not CONNECT");
        var reader = new BodyReader(Contiguous(packet.Body));
        byte level = ConnectPacket.ReadLevel(ref reader);
        if (level is 3 or 4)
        {
            // The seam for 3.1.1: until it is served, the answer is in that version's own words.
            ConnAckPacket.RefusedLevel311.CopyTo(Control.GetSpan(4));
            Control.Advance(4);
            End(new MqttCloseReason(MqttCloseKind.Refused, MqttReasonCode.UnsupportedProtocolVersion,
                $"protocol level {level}"));
            return;
        }
        _connect = new ConnectPacket { ClientId = "" };
        if (level != ConnectPacket.Level5)
        {
            Refuse(MqttReasonCode.UnsupportedProtocolVersion, $"protocol level {level}");
            return;
        }
        _connect = ConnectPacket.ReadRest(ref reader);
        var properties = _connect.Properties;
        if (properties.Text(PropertyId.AuthenticationMethod) is not null)
            Refuse(MqttReasonCode.BadAuthenticationMethod, "extended authentication is not served");
        else if (_connect.ClientId.Length == 0)
            Refuse(MqttReasonCode.ClientIdentifierNotValid, "a client identifier is needed");
        else if (_connect.Will is not null)
            Refuse(MqttReasonCode.ImplementationSpecificError, "will messages are not served");
        else
        {
            _phase = Phase.Authenticating;
            Events.Enqueue(new ConnectRequested(_connect));
        }
    }

    private void HandlePublish(RawPacket packet, TimeSpan now)
    {
        var publish = ReadPublish(packet);
        if (publish.Retain)
            throw new MqttProtocolException(MqttReasonCode.RetainNotSupported, "retained messages are not served");
        var verdict = _authorizer.AuthorizePublish(publish.Topic, publish.Qos);
        if (verdict < MqttReasonCode.UnspecifiedError)
        {
            Arrived(publish, Incoming.Add(publish, (int)packet.Body.Length));
            return;
        }
        Events.Enqueue(new PublishRefused(verdict));
        // A refused QoS 0 message has no answer. A DISCONNECT would take the session's QoS 1 messages with it, so the
        // application tells the sender.
        if (publish.Qos == MqttQos.AtLeastOnce)
            Complete(Incoming.Add(publish, 0), verdict, PropertyList.Empty, now);
    }

    private void HandleDisconnect(DisconnectPacket packet)
    {
        if (packet.Properties.Number(PropertyId.SessionExpiryInterval) is > 0
            && (_connect!.Properties.Number(PropertyId.SessionExpiryInterval) ?? 0) == 0)
            throw MqttProtocolException.Protocol("session expiry set at DISCONNECT only");
        End(new MqttCloseReason(MqttCloseKind.Peer, packet.ReasonCode,
            packet.Properties.Text(PropertyId.ReasonString) ?? "client disconnected"));
    }

    private void Refuse(MqttCloseKind kind, MqttReasonCode code, string text)
    {
        if (Closed is not null || _phase == Phase.Connected) return;
        var properties = new PropertyList().Add(PropertyId.ReasonString, text);
        new ConnAckPacket(code, SessionPresent: false, properties).Write(Control);
        End(new MqttCloseReason(kind, code, text));
    }
}
