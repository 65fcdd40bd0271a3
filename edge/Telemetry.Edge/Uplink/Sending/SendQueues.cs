using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>Frames to be sent, lane by lane, oldest first; what is to be sent again stands at the end.</summary>
internal sealed class SendQueues
{
    private readonly Queue<HeldFrame>[] _lanes = [new(), new(), new()];
    private readonly List<(HeldFrame Frame, byte Version)> _unreadable = [];

    /// <summary>Frames that wait in a lane (some may have left meanwhile).</summary>
    public int Count(Lane lane) => _lanes[(int)lane].Count;

    /// <summary>Puts a frame at its lane's end.</summary>
    public void Add(HeldFrame frame)
    {
        frame.State = DeliveryState.ToSend;
        if (frame is { Held: true, Freed: false, Forked: false, IsUnreadable: false })
        {
            _lanes[(int)frame.Key.Lane].Enqueue(frame);
        }
    }

    /// <summary>
    /// Keeps a frame back that the cloud cannot read, as far as is known: until <see cref="Release"/>, or until
    /// everything begins anew.
    /// </summary>
    public void Keep(HeldFrame frame, byte version)
    {
        frame.State = DeliveryState.ToSend;
        _unreadable.Add((frame, version));
    }

    /// <summary>The cloud says that it reads frames up to this version: what was kept back for that is sent.</summary>
    public void Release(byte version)
    {
        foreach (var (frame, needed) in _unreadable)
        {
            if (needed <= version && frame.State == DeliveryState.ToSend)
            {
                Add(frame);
            }
        }

        _unreadable.RemoveAll(u => u.Version <= version);
    }

    /// <summary>
    /// Begins anew after a broken connection: nobody knows what arrived, so all that was being sent is sent again.
    /// </summary>
    public void Rebuild(IEnumerable<HeldFrame> held)
    {
        Array.ForEach(_lanes, lane => lane.Clear());
        _unreadable.Clear();
        foreach (var frame in held)
        {
            if (frame.State is DeliveryState.ToSend or DeliveryState.Sending)
            {
                Add(frame);
            }
        }
    }

    /// <summary>The next frame of a lane that is still to be sent; null when there is none.</summary>
    public HeldFrame? Peek(Lane lane)
    {
        var queue = _lanes[(int)lane];
        while (queue.TryPeek(out var frame))
        {
            if (frame is { Freed: false, Held: true, State: DeliveryState.ToSend })
            {
                return frame;
            }

            queue.Dequeue();
        }

        return null;
    }

    /// <summary>Takes what <see cref="Peek"/> showed.</summary>
    public void Take(Lane lane) => _lanes[(int)lane].Dequeue();
}
