using System.Diagnostics.CodeAnalysis;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>One received message between its arrival and its PUBACK.</summary>
internal sealed class IncomingPublish
{
    public ushort PacketId { get; init; }
    public MqttQos Qos { get; init; }
    public int Bytes { get; init; }
    public bool IsDone { get; set; }
    public MqttReasonCode ReasonCode { get; set; }
    public PropertyList Properties { get; set; } = PropertyList.Empty;
}

/// <summary>
/// Messages from the peer that the application has not finished. They may finish in any order; PUBACKs leave in the
/// order of arrival (MQTT 5.0, 4.6: [MQTT-4.6.0-2]).
/// </summary>
internal sealed class IncomingPublishes(int receiveMaximum, long bytesMax)
{
    private readonly Queue<IncomingPublish> _unacknowledged = [];
    private readonly HashSet<ushort> _packetIds = [];
    private int _unfinishedAtMostOnce;
    private long _bytes;

    /// <summary>True while no further message may be read: the application has as much as it may.</summary>
    public bool IsFull => _unfinishedAtMostOnce >= receiveMaximum || _bytes >= bytesMax;

    public int Unacknowledged => _unacknowledged.Count;

    /// <exception cref="MqttProtocolException">
    /// 0x93 beyond the Receive Maximum, 0x82 for an identifier in use.
    /// </exception>
    public IncomingPublish Add(in PublishPacket packet, int bytes)
    {
        var entry = new IncomingPublish { PacketId = packet.PacketId, Qos = packet.Qos, Bytes = bytes };
        if (packet.Qos == MqttQos.AtMostOnce)
        {
            _unfinishedAtMostOnce++;
        }
        else
        {
            if (_unacknowledged.Count >= receiveMaximum)
                throw new MqttProtocolException(MqttReasonCode.ReceiveMaximumExceeded,
                    $"more than {receiveMaximum} unacknowledged messages");
            if (!_packetIds.Add(packet.PacketId)) throw MqttProtocolException.Protocol("packet identifier is in use");
            _unacknowledged.Enqueue(entry);
        }
        _bytes += bytes;
        return entry;
    }

    public void Complete(IncomingPublish entry, MqttReasonCode reasonCode, PropertyList properties)
    {
        if (entry.IsDone) throw new InvalidOperationException("message was completed before");
        entry.IsDone = true;
        entry.ReasonCode = reasonCode;
        entry.Properties = properties;
        _bytes -= entry.Bytes;
        if (entry.Qos == MqttQos.AtMostOnce) _unfinishedAtMostOnce--;
    }

    /// <summary>The next PUBACK that may leave. Its place under the Receive Maximum is free from here on.</summary>
    public bool TryTakeAck([MaybeNullWhen(false)] out PublishAckPacket ack)
    {
        ack = default;
        if (!_unacknowledged.TryPeek(out var head) || !head.IsDone) return false;
        _unacknowledged.Dequeue();
        _packetIds.Remove(head.PacketId);
        ack = new PublishAckPacket(PacketType.PubAck, head.PacketId, head.ReasonCode, head.Properties);
        return true;
    }
}
