using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Ingress.Down;

/// <summary>
/// The messages that wait for one session that accepts no more: bounded in messages and bytes, and the newest is always
/// kept. An answer to a hello contains everything that earlier stored-acks contained, so these are removed first
/// (coalesced). Beyond the limits the oldest are removed (dropped; the next hello makes up for it). Used by one thread
/// at a time.
/// </summary>
internal sealed class DownQueue(int messagesMax, int bytesMax)
{
    private readonly LinkedList<byte[]> _messages = new();

    /// <summary>The number of messages that wait.</summary>
    public int Count => _messages.Count;

    /// <summary>The number of their bytes.</summary>
    public int Bytes { get; private set; }

    /// <summary>The oldest message; null when none waits.</summary>
    public byte[]? First => _messages.First?.Value;

    /// <summary>Adds the newest message; returns how many others were removed for it.</summary>
    public (int Coalesced, int Dropped) Add(byte[] message)
    {
        var coalesced = IsAnswer(message) ? RemoveStoredAcks() : 0;
        _messages.AddLast(message);
        Bytes += message.Length;
        var dropped = 0;
        while (_messages.Count > 1 && (_messages.Count > messagesMax || Bytes > bytesMax))
        {
            RemoveFirst();
            dropped++;
        }

        return (coalesced, dropped);
    }

    /// <summary>Removes the oldest message.</summary>
    public void RemoveFirst()
    {
        Bytes -= _messages.First!.Value.Length;
        _messages.RemoveFirst();
    }

    private int RemoveStoredAcks()
    {
        var removed = 0;
        for (var node = _messages.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value is [(byte)DownKind.StoredAck, ..])
            {
                Bytes -= node.Value.Length;
                _messages.Remove(node);
                removed++;
            }

            node = next;
        }

        return removed;
    }

    private static bool IsAnswer(byte[] message)
    {
        if (message is not [(byte)DownKind.StoredAck, ..])
        {
            return false;
        }

        try
        {
            return StoredAck.Read(message).InAnswerTo is not null;
        }
        catch (WireFormatException)
        {
            // A newer owner's format: it is sent unchanged, and replaces nothing.
            return false;
        }
    }
}
