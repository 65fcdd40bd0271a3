using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Ingress.Down;

/// <summary>
/// What waits to go down to one session that takes no more: bounded in messages and bytes, newest kept. An answer to a
/// hello says all that stored-acks before it said, so those go first (coalesced); beyond the limits the oldest go
/// (dropped; the next hello heals that). One thread at a time.
/// </summary>
internal sealed class DownQueue(int messagesMax, int bytesMax)
{
    private readonly LinkedList<byte[]> _messages = new();

    /// <summary>How many wait.</summary>
    public int Count => _messages.Count;

    /// <summary>How many bytes wait.</summary>
    public int Bytes { get; private set; }

    /// <summary>The oldest one; null when none waits.</summary>
    public byte[]? First => _messages.First?.Value;

    /// <summary>Adds the newest one; says how many others went for it.</summary>
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

    /// <summary>Takes the oldest one out.</summary>
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
            // A newer owner's format: it goes down as it is, and supersedes nothing.
            return false;
        }
    }
}
