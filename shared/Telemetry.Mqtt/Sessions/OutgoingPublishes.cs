using System.Buffers;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Mqtt.Sessions;

/// <summary>Outcome of offering a message to <see cref="OutgoingPublishes"/>.</summary>
internal enum EnqueueOutcome { Queued, Full, TooLarge }

/// <summary>
/// Messages to the peer: a bounded queue of those waiting, and the window of QoS 1 messages written and not yet
/// acknowledged, never larger than the peer's Receive Maximum. Strictly first in, first out. Source: MQTT 5.0, 4.9.
/// </summary>
internal sealed class OutgoingPublishes(PacketIdentifiers identifiers, int queuedMax, long queuedBytesMax)
{
    private readonly Queue<(OutgoingPublish Publish, int Bytes)> _queue = [];
    private readonly Dictionary<ushort, OutgoingPublish> _window = [];
    private long _queuedBytes;

    /// <summary>The peer's Receive Maximum.</summary>
    public int WindowMax { get; set; } = ushort.MaxValue;

    /// <summary>The peer's Maximum Packet Size, bytes.</summary>
    public long PeerPacketBytesMax { get; set; } = PacketScanner.PacketBytesLargest;

    public int Queued => _queue.Count;

    public int InFlight => _window.Count;

    public EnqueueOutcome TryEnqueue(OutgoingPublish publish)
    {
        int bytes = publish.ToPacket(1).Bytes();
        if (bytes > PeerPacketBytesMax) return EnqueueOutcome.TooLarge;
        bool hasRoom = _queue.Count < queuedMax && (_queuedBytes + bytes <= queuedBytesMax || _queue.Count == 0);
        if (!hasRoom) return EnqueueOutcome.Full;
        _queue.Enqueue((publish, bytes));
        _queuedBytes += bytes;
        return EnqueueOutcome.Queued;
    }

    /// <summary>
    /// Writes the first waiting message. Null: none waits, the window is full, or it is beyond the room.
    /// </summary>
    public OutgoingPublish? WriteNext(IBufferWriter<byte> output, long roomBytes)
    {
        while (_queue.TryPeek(out var next) && next.Publish.IsCancelled) Dequeue();
        if (!_queue.TryPeek(out var head) || head.Bytes > roomBytes) return null;
        var publish = head.Publish;
        ushort id = 0;
        if (publish.Qos != MqttQos.AtMostOnce)
        {
            if (_window.Count >= WindowMax || identifiers.AreExhausted) return null;
            id = identifiers.Take();
            _window.Add(id, publish);
        }
        Dequeue();
        publish.ToPacket(id).Write(output);
        return publish;
    }

    /// <summary>Ends the message with this identifier; null when there is none.</summary>
    public OutgoingPublish? Acknowledge(ushort packetId)
    {
        if (!_window.Remove(packetId, out var publish)) return null;
        identifiers.Release(packetId);
        return publish;
    }

    /// <summary>Gives up on everything and says what it was: those written first.</summary>
    public IReadOnlyList<OutgoingPublish> Abandon()
    {
        OutgoingPublish[] all = [.. _window.Values, .. _queue.Select(q => q.Publish)];
        _window.Clear();
        _queue.Clear();
        _queuedBytes = 0;
        return all;
    }

    private void Dequeue() => _queuedBytes -= _queue.Dequeue().Bytes;
}
