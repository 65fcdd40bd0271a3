using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Uplink.Sending;

/// <summary>The frames to be sent, by lane, oldest first; frames to be sent again are at the end.</summary>
internal sealed class SendQueues
{
    private readonly Queue<HeldFrame>[] _lanes = [new(), new(), new()];
    private readonly List<(HeldFrame Frame, byte Version)> _unreadable = [];

    /// <summary>The number of frames that wait in a lane (some may have been removed meanwhile).</summary>
    public int Count(Lane lane) => _lanes[(int)lane].Count;

    /// <summary>Adds a frame at the end of its lane.</summary>
    public void Add(HeldFrame frame)
    {
        frame.State = DeliveryState.ToSend;
        if (frame is { Held: true, Freed: false, Forked: false, IsUnreadable: false })
        {
            _lanes[(int)frame.Key.Lane].Enqueue(frame);
        }
    }

    /// <summary>
    /// Holds back a frame that the cloud, as far as is known, cannot read: until <see cref="Release"/>, or until <see
    /// cref="Rebuild"/>.
    /// </summary>
    public void Keep(HeldFrame frame, byte version)
    {
        frame.State = DeliveryState.ToSend;
        _unreadable.Add((frame, version));
    }

    /// <summary>
    /// The cloud reports that it reads frames up to this version: frames held back for that are sent.
    /// </summary>
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
    /// Starts again after a broken connection: it is unknown what arrived, so everything that was being sent is sent
    /// again.
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

    /// <summary>Removes the frame that <see cref="Peek"/> returned.</summary>
    public void Take(Lane lane) => _lanes[(int)lane].Dequeue();
}
