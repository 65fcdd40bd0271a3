using System.Buffers;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>
/// What both ends of a connection have in common, as a state machine: bytes, calls and the time go in; events and bytes
/// come out. It knows no socket, clock or task. Only one thread at a time may call it (its owner holds a lock);
/// <c>now</c> is a monotonic time that never falls.
/// </summary>
internal abstract class MqttSession(MqttSessionLimits limits, int queuedMessagesMax, long queuedBytesMax)
{
    /// <summary>
    /// Answers not yet written; beyond it reading pauses, so a peer that only asks cannot fill memory.
    /// </summary>
    private const int ControlBytesMax = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _control = new(256);
    private TimeSpan? _writingSince;

    protected MqttSessionLimits Limits { get; } = limits;
    protected PacketIdentifiers Identifiers { get; } = new();
    protected IncomingPublishes Incoming { get; } = new(limits.ReceiveMaximum, limits.InFlightBytesMax);
    protected TimeSpan LastReceived { get; set; }
    protected TimeSpan LastTaken { get; private set; }
    protected TimeSpan LastWritten { get; private set; }
    protected IBufferWriter<byte> Control => _control;

    private OutgoingPublishes? _outgoing;

    public OutgoingPublishes Outgoing => _outgoing ??= new(Identifiers, queuedMessagesMax, queuedBytesMax);

    /// <summary>What happened, in order. The owner takes from it after each call.</summary>
    public Queue<SessionEvent> Events { get; } = [];

    /// <summary>Why the session ended; null while it lasts.</summary>
    public MqttCloseReason? Closed { get; private set; }

    /// <summary>
    /// False while reading pauses (back-pressure). True once closed: bytes are then taken and thrown away.
    /// </summary>
    public bool WantsInput =>
        Closed is not null || (!IsHolding && !Incoming.IsFull && _control.WrittenCount < ControlBytesMax);

    /// <summary>When <see cref="Advance"/> has to be called at the latest; null: no time limit runs.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            if (Closed is not null) return null;
            var own = Deadline;
            var stall = _writingSince + Limits.OutputStallTimeout;
            return own is null ? stall : stall is null || own < stall ? own : stall;
        }
    }

    /// <summary>Largest packet taken in the present state, bytes.</summary>
    protected abstract int PacketBytesMax { get; }

    /// <summary>True while the state allows no packet to be handled.</summary>
    protected virtual bool IsHolding => false;

    /// <summary>The time limit of the present state.</summary>
    protected abstract TimeSpan? Deadline { get; }

    /// <summary>False while the protocol forbids a DISCONNECT, e.g. before the CONNACK.</summary>
    protected abstract bool MayDisconnect { get; }

    /// <summary>Takes every whole packet off the front, as long as input is wanted; the rest stays.</summary>
    public void Receive(ref ReadOnlySequence<byte> bytes, TimeSpan now)
    {
        LastReceived = now;
        while (Closed is null && WantsInput)
        {
            try
            {
                if (!PacketScanner.TryRead(ref bytes, PacketBytesMax, out var packet)) return;
                Handle(packet, now);
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
    public void TakeOutput(ArrayBufferWriter<byte> output, int bytesMax, TimeSpan now)
    {
        if (Closed is null)
        {
            while (output.WrittenCount + _control.WrittenCount < bytesMax && Incoming.TryTakeAck(out var ack))
                Write(ack);
        }
        output.Write(_control.WrittenSpan);
        _control.ResetWrittenCount();
        if (Closed is null && MayPublish)
        {
            // The first packet is taken whatever its size; all others have to fit.
            long Room() => output.WrittenCount == 0 ? long.MaxValue : bytesMax - output.WrittenCount;
            while (Outgoing.WriteNext(output, Room()) is { } sent)
            {
                if (sent.Qos == MqttQos.AtMostOnce && sent.State is not null)
                    Events.Enqueue(new PublishAnswered(sent, MqttReasonCode.Success, PropertyList.Empty));
            }
        }
        if (output.WrittenCount == 0) return;
        LastTaken = now;
        _writingSince ??= now;
    }

    /// <summary>The bytes taken last have been handed to the network.</summary>
    public void Written(TimeSpan now)
    {
        LastWritten = now;
        _writingSince = null;
    }

    /// <summary>The application has finished with a received message; for QoS 1 the PUBACK may leave.</summary>
    public void Complete(IncomingPublish ticket, MqttReasonCode code, PropertyList properties, TimeSpan now)
    {
        bool paused = Incoming.IsFull;
        Incoming.Complete(ticket, code, properties);
        if (paused) LastReceived = now;
    }

    /// <summary>Lets time limits take effect.</summary>
    public void Advance(TimeSpan now)
    {
        if (Closed is not null) return;
        if (now - _writingSince >= Limits.OutputStallTimeout)
            Close(new(MqttCloseKind.OutputStalled, MqttReasonCode.UnspecifiedError,
                "peer did not take our bytes in time"));
        else
            OnTime(now);
    }

    /// <summary>The network connection ended.</summary>
    public void ConnectionLost(string text) =>
        End(new MqttCloseReason(MqttCloseKind.ConnectionLost, MqttReasonCode.UnspecifiedError, text));

    /// <summary>Ends the session; says DISCONNECT with the reason where the protocol allows it.</summary>
    public void Close(MqttCloseReason reason)
    {
        if (Closed is not null) return;
        if (MayDisconnect)
        {
            while (Incoming.TryTakeAck(out var ack)) Write(ack);
            Disconnect(reason);
        }
        End(reason);
    }

    protected virtual bool MayPublish => MayDisconnect;

    /// <summary>False when the peer asked for no reason strings and user properties on answers.</summary>
    protected virtual bool MayExplain => true;

    protected abstract void Handle(RawPacket packet, TimeSpan now);

    protected abstract void OnTime(TimeSpan now);

    /// <summary>Answers broken bytes and ends.</summary>
    protected virtual void Fail(MqttProtocolException e) =>
        Close(new MqttCloseReason(MqttCloseKind.ProtocolError, e.ReasonCode, e.Message));

    /// <summary>Ends without a further packet.</summary>
    protected void End(MqttCloseReason reason)
    {
        if (Closed is not null) return;
        Closed = reason;
        Events.Enqueue(new SessionClosed(reason));
    }

    /// <summary>Reads a PUBLISH with a single copy of its bytes, and keeps the rules that hold on both sides.</summary>
    protected PublishPacket ReadPublish(RawPacket packet)
    {
        var body = GC.AllocateUninitializedArray<byte>((int)packet.Body.Length);
        packet.Body.CopyTo(body);
        var publish = PublishPacket.Read(packet.Flags, body);
        if (publish.Properties.Number(PropertyId.TopicAlias) is not null)
            throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "topic alias, though none is allowed");
        if (publish.Qos == MqttQos.ExactlyOnce)
            throw new MqttProtocolException(MqttReasonCode.QosNotSupported, "QoS 2 is not served");
        if (!Topics.TopicName.IsValid(publish.Topic))
            throw new MqttProtocolException(MqttReasonCode.TopicNameInvalid, "topic name is empty or has a wildcard");
        return publish;
    }

    protected void Arrived(in PublishPacket publish, IncomingPublish ticket) =>
        Events.Enqueue(new MessageArrived(new MqttMessage
        {
            Topic = publish.Topic,
            Payload = publish.Payload,
            Qos = publish.Qos,
            IsDuplicate = publish.Duplicate,
            IsRetained = publish.Retain,
            UserProperties = publish.Properties.UserProperties,
        }, ticket));

    /// <summary>A PUBACK of the peer frees a place in the window.</summary>
    protected void Acknowledged(RawPacket packet)
    {
        var reader = new BodyReader(Contiguous(packet.Body));
        var ack = PublishAckPacket.Read(packet.Type, ref reader);
        var publish = Outgoing.Acknowledge(ack.PacketId)
            ?? throw MqttProtocolException.Protocol("PUBACK for a message that was not sent");
        if (publish.State is not null) Events.Enqueue(new PublishAnswered(publish, ack.ReasonCode, ack.Properties));
    }

    /// <summary>The body as one span. It is whole already unless the owner's buffer is made of pieces.</summary>
    protected static ReadOnlySpan<byte> Contiguous(in ReadOnlySequence<byte> body) =>
        body.IsSingleSegment ? body.FirstSpan : body.ToArray();

    private void Disconnect(MqttCloseReason reason)
    {
        var properties = new PropertyList().Add(PropertyId.ReasonString,
            reason.ReasonCode >= MqttReasonCode.UnspecifiedError ? reason.Text : null);
        var packet = new DisconnectPacket(PacketType.Disconnect, reason.ReasonCode, properties);
        if (packet.Bytes() > Outgoing.PeerPacketBytesMax) packet = packet with { Properties = PropertyList.Empty };
        packet.Write(Control);
    }

    private void Write(PublishAckPacket ack)
    {
        if (!MayExplain || ack.Bytes() > Outgoing.PeerPacketBytesMax)
            ack = ack with { Properties = PropertyList.Empty };
        ack.Write(Control);
    }
}
