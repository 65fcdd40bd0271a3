using System.Diagnostics.CodeAnalysis;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>One received message between its arrival and its PUBACK.</summary>
internal sealed class IncomingPublish
{
    public ushort PacketId { get; init; }
    public MqttQos Qos { get; init; }
    public int Bytes { get; init; }

    /// <summary>What its PUBACK says; null while the application has not finished with it.</summary>
    public PublishVerdict? Verdict { get; set; }
}

/// <summary>
/// Messages from the client that the application has not finished. They may finish in any order; PUBACKs leave in the
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

    /// <exception cref="MqttProtocolException">
    /// 0x93 beyond the Receive Maximum, 0x82 for an identifier in use.
    /// </exception>
    public IncomingPublish Add(ushort packetId, MqttQos qos, int bytes)
    {
        var entry = new IncomingPublish { PacketId = packetId, Qos = qos, Bytes = bytes };
        if (qos == MqttQos.AtMostOnce)
        {
            _unfinishedAtMostOnce++;
        }
        else
        {
            if (_unacknowledged.Count >= receiveMaximum)
                throw new MqttProtocolException(MqttReasonCode.ReceiveMaximumExceeded,
                    $"more than {receiveMaximum} unacknowledged messages");
            if (!_packetIds.Add(packetId)) throw MqttProtocolException.Protocol("packet identifier is in use");
            _unacknowledged.Enqueue(entry);
        }
        _bytes += bytes;
        return entry;
    }

    public void Complete(IncomingPublish entry, PublishVerdict verdict)
    {
        if (entry.Verdict is not null) throw new InvalidOperationException("message was completed before");
        entry.Verdict = verdict;
        _bytes -= entry.Bytes;
        if (entry.Qos == MqttQos.AtMostOnce) _unfinishedAtMostOnce--;
    }

    /// <summary>
    /// The next message whose PUBACK may leave. Its place under the Receive Maximum is free from here on.
    /// </summary>
    public bool TryTakeFinished([MaybeNullWhen(false)] out IncomingPublish finished)
    {
        if (!_unacknowledged.TryPeek(out finished) || finished.Verdict is null) return false;
        _unacknowledged.Dequeue();
        _packetIds.Remove(finished.PacketId);
        return true;
    }
}
