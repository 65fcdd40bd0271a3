using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>The client's end of one connection. See <see cref="MqttSession"/> for who may call it.</summary>
/// <remarks>
/// <code>
///   Idle ──Start: CONNECT──► AwaitingConnAck ──CONNACK, success──► Connected ──► closed
///                                └── refused, or connect timeout ────────────────┘
/// </code>
/// </remarks>
internal sealed class ClientSession(MqttClientOptions options)
    : MqttSession(options.Limits, options.Limits.QueuedMessagesMax, options.Limits.QueuedBytesMax)
{
    /// <summary>SUBSCRIBE and UNSUBSCRIBE packets awaiting their answer; one more is refused to the caller.</summary>
    public const int PendingSubscribesMax = 64;

    private enum Phase { Idle, AwaitingConnAck, Connected }

    private readonly Dictionary<ushort, (object State, int Filters)> _subscribes = [];
    private Phase _phase;
    private TimeSpan _started;
    private TimeSpan _keepAlive;
    private TimeSpan? _pingSince;

    public bool IsConnected => _phase == Phase.Connected && Closed is null;

    protected override int PacketBytesMax => Limits.PacketBytesMax;

    protected override bool MayDisconnect => _phase == Phase.Connected;

    protected override TimeSpan? Deadline
    {
        get
        {
            if (_phase == Phase.Idle) return null;
            if (_phase == Phase.AwaitingConnAck) return _started + options.ConnectTimeout;
            if (Incoming.IsFull || _keepAlive == TimeSpan.Zero) return null;
            if (_pingSince is not { } since) return Earlier(LastTaken, LastReceived) + _keepAlive;
            return Later(since, Later(LastReceived, LastWritten)) + options.PingResponseTimeout;
        }
    }

    /// <summary>Says CONNECT. The connect timeout runs from here.</summary>
    public void Start(TimeSpan now)
    {
        if (_phase != Phase.Idle) throw new InvalidOperationException("a client connects once");
        _phase = Phase.AwaitingConnAck;
        _started = LastReceived = now;
        _keepAlive = options.KeepAlive;
        var properties = new PropertyList()
            .Add(PropertyId.ReceiveMaximum, (uint)Limits.ReceiveMaximum)
            .Add(PropertyId.MaximumPacketSize, (uint)Limits.PacketBytesMax)
            .Add(options.UserProperties);
        new ConnectPacket
        {
            ClientId = options.ClientId,
            UserName = options.UserName,
            Password = options.Password?.ToArray(),
            KeepAliveSeconds = (ushort)options.KeepAlive.TotalSeconds,
            Properties = properties,
        }.Write(Control);
    }

    /// <summary>Offers a message; it waits in the queue while the server's Receive Maximum is used up.</summary>
    public EnqueueOutcome TryPublish(OutgoingPublish publish) => Outgoing.TryEnqueue(publish);

    /// <summary>Asks for subscriptions; false when too many requests await an answer.</summary>
    public bool TrySubscribe(IReadOnlyList<SubscribeFilter> filters, object state)
    {
        if (_subscribes.Count >= PendingSubscribesMax || Identifiers.AreExhausted) return false;
        ushort id = Identifiers.Take();
        _subscribes.Add(id, (state, filters.Count));
        new SubscribePacket(id, filters, PropertyList.Empty).Write(Control);
        return true;
    }

    /// <summary>Ends subscriptions; false when too many requests await an answer.</summary>
    public bool TryUnsubscribe(IReadOnlyList<string> filters, object state)
    {
        if (_subscribes.Count >= PendingSubscribesMax || Identifiers.AreExhausted) return false;
        ushort id = Identifiers.Take();
        _subscribes.Add(id, (state, filters.Count));
        new UnsubscribePacket(id, filters, PropertyList.Empty).Write(Control);
        return true;
    }

    /// <summary>The states of all requests that got no answer; forgets them.</summary>
    public IReadOnlyList<object> AbandonSubscribes()
    {
        object[] states = [.. _subscribes.Values.Select(s => s.State)];
        _subscribes.Clear();
        return states;
    }

    protected override void OnTime(TimeSpan now)
    {
        if (Deadline is not { } deadline || now < deadline) return;
        if (_phase == Phase.AwaitingConnAck)
        {
            End(new MqttCloseReason(MqttCloseKind.ConnectTimeout, MqttReasonCode.UnspecifiedError,
                "no CONNACK came in time"));
        }
        else if (_pingSince is null)
        {
            _pingSince = now;
            new PingPacket(PacketType.PingReq).Write(Control);
        }
        else
        {
            Close(new MqttCloseReason(MqttCloseKind.KeepAliveTimeout, MqttReasonCode.UnspecifiedError,
                "no PINGRESP came in time"));
        }
    }

    protected override void Handle(RawPacket packet, TimeSpan now)
    {
        var reader = new BodyReader(packet.Type == PacketType.Publish ? default : Contiguous(packet.Body));
        if (_phase != Phase.Connected)
        {
            if (packet.Type != PacketType.ConnAck) throw MqttProtocolException.Protocol("first packet is not CONNACK");
            HandleConnAck(ConnAckPacket.Read(ref reader));
            return;
        }
        switch (packet.Type)
        {
            case PacketType.Publish:
                var publish = ReadPublish(packet);
                Arrived(publish, Incoming.Add(publish, (int)packet.Body.Length));
                break;
            case PacketType.PubAck:
                Acknowledged(packet);
                break;
            case PacketType.SubAck or PacketType.UnsubAck:
                HandleSubscribeAck(SubscribeAckPacket.Read(packet.Type, ref reader));
                break;
            case PacketType.PingResp:
                PingPacket.Read(packet.Type, ref reader);
                _pingSince = null;
                break;
            case PacketType.Disconnect:
                var disconnect = DisconnectPacket.Read(packet.Type, ref reader);
                End(new MqttCloseReason(
                    disconnect.ReasonCode == MqttReasonCode.SessionTakenOver
                        ? MqttCloseKind.TakenOver : MqttCloseKind.Peer,
                    disconnect.ReasonCode,
                    disconnect.Properties.Text(PropertyId.ReasonString)
                        ?? $"server disconnected: {disconnect.ReasonCode}"));
                break;
            default:
                throw MqttProtocolException.Protocol($"{packet.Type} is not expected from a server");
        }
    }

    private void HandleConnAck(ConnAckPacket packet)
    {
        if (packet.ReasonCode >= MqttReasonCode.UnspecifiedError)
        {
            End(new MqttCloseReason(MqttCloseKind.Refused, packet.ReasonCode,
                packet.Properties.Text(PropertyId.ReasonString) ?? $"server refused: {packet.ReasonCode}"));
            return;
        }
        if (packet.SessionPresent) throw MqttProtocolException.Protocol("session present after a clean start");
        _phase = Phase.Connected;
        Outgoing.WindowMax = (int)(packet.Properties.Number(PropertyId.ReceiveMaximum) ?? ushort.MaxValue);
        Outgoing.PeerPacketBytesMax =
            packet.Properties.Number(PropertyId.MaximumPacketSize) ?? PacketScanner.PacketBytesLargest;
        if (packet.Properties.Number(PropertyId.ServerKeepAlive) is { } seconds)
            _keepAlive = TimeSpan.FromSeconds(seconds);
        Events.Enqueue(new ConnectAnswered(packet));
    }

    private void HandleSubscribeAck(SubscribeAckPacket packet)
    {
        if (!_subscribes.Remove(packet.PacketId, out var pending))
            throw MqttProtocolException.Protocol($"{packet.Type} without a request");
        Identifiers.Release(packet.PacketId);
        if (packet.ReasonCodes.Count != pending.Filters)
            throw MqttProtocolException.Protocol(
                $"{packet.Type} with {packet.ReasonCodes.Count} codes for {pending.Filters} filters");
        Events.Enqueue(new SubscribeAnswered(pending.State, packet));
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
