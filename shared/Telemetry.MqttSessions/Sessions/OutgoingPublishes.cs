using System.Buffers;
using Telemetry.MqttSessions.Packets;

namespace Telemetry.MqttSessions.Sessions;

/// <summary>
/// Messages to the client: a bounded queue of those waiting, and the window of QoS 1 messages written and not yet
/// acknowledged, never larger than the client's Receive Maximum. Strictly first in, first out. Source: MQTT 5.0, 4.9.
/// </summary>
internal sealed class OutgoingPublishes(int queuedMax, long queuedBytesMax, int windowMax, long packetBytesMax)
{
    private readonly Queue<(OutgoingPublish Publish, int Bytes)> _queue = [];
    private readonly PacketIdentifiers _window = new();
    private long _queuedBytes;

    public int Queued => _queue.Count;

    /// <summary>Queued, QueueFull or TooLarge.</summary>
    public MqttSendOutcome TryEnqueue(OutgoingPublish publish)
    {
        int bytes = publish.Bytes();
        if (bytes > packetBytesMax) return MqttSendOutcome.TooLarge;
        bool hasRoom = _queue.Count < queuedMax && (_queuedBytes + bytes <= queuedBytesMax || _queue.Count == 0);
        if (!hasRoom) return MqttSendOutcome.QueueFull;
        _queue.Enqueue((publish, bytes));
        _queuedBytes += bytes;
        return MqttSendOutcome.Queued;
    }

    /// <summary>
    /// Writes the first waiting message and returns its bytes. 0: none waits, the window is full, or it is beyond the
    /// room.
    /// </summary>
    public int WriteNext(IBufferWriter<byte> output, long roomBytes)
    {
        if (!_queue.TryPeek(out var head) || head.Bytes > roomBytes) return 0;
        ushort id = 0;
        if (head.Publish.Qos != MqttQos.AtMostOnce)
        {
            if (_window.Count >= windowMax) return 0;
            id = _window.Take();
        }
        _queuedBytes -= _queue.Dequeue().Bytes;
        return PacketCodec.Write(head.Publish.ToPacket(id), output);
    }

    /// <summary>Frees the place of the message with this identifier; false when there is none.</summary>
    public bool Acknowledge(ushort packetId) => _window.Release(packetId);
}
