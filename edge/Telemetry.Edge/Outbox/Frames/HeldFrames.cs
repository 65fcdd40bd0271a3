using System.Collections;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Frames;

/// <summary>
/// The frames that are not freed, in order of epoch, lane, first sequence. Adding at a lane's end and removing anywhere
/// take constant time. Frames may be removed or added during an enumeration.
/// </summary>
internal sealed class HeldFrames : IReadOnlyCollection<HeldFrame>
{
    private readonly Dictionary<FrameId, HeldFrame> _byId = [];
    private readonly SortedList<long, LaneEnds[]> _byEpoch = [];

    public int Count => _byId.Count;

    public HeldFrame? Find(FrameId id) => _byId.GetValueOrDefault(id);

    public void Add(HeldFrame frame)
    {
        if (!_byEpoch.TryGetValue(frame.EpochOrder, out var lanes))
        {
            _byEpoch.Add(frame.EpochOrder, lanes = new LaneEnds[Lanes.Count]);
        }

        ref var ends = ref lanes[(int)frame.Key.Lane];
        if (ends.Last is not null && ends.Last.Key.First >= frame.Key.First)
        {
            throw new InvalidOperationException($"{frame.Key} does not follow {ends.Last.Key}");
        }

        _byId.Add(frame.Id, frame);
        Link(ref ends, ends.Last, frame, null);
    }

    public void Remove(HeldFrame frame)
    {
        _byId.Remove(frame.Id);
        var lanes = _byEpoch[frame.EpochOrder];
        ref var ends = ref lanes[(int)frame.Key.Lane];
        (frame.Previous is null ? ref ends.First : ref frame.Previous.NextLink) = frame.Next;
        (frame.Next is null ? ref ends.Last : ref frame.Next.PreviousLink) = frame.Previous;
        if (lanes[0].First is null && lanes[1].First is null && lanes[2].First is null)
        {
            _byEpoch.Remove(frame.EpochOrder);
        }
    }

    /// <summary>Replaces a frame by another with the same id.</summary>
    public void Replace(HeldFrame old, HeldFrame frame)
    {
        _byId[frame.Id] = frame;
        ref var ends = ref _byEpoch[old.EpochOrder][(int)old.Key.Lane];
        Link(ref ends, old.Previous, frame, old.Next);
    }

    public IEnumerator<HeldFrame> GetEnumerator()
    {
        for (var at = 0; at < _byEpoch.Count; at++)
        {
            var order = _byEpoch.GetKeyAtIndex(at);
            foreach (var ends in _byEpoch.GetValueAtIndex(at))
            {
                // A removed frame keeps its link to the next one, so that an enumeration that stands on it continues.
                for (var frame = ends.First; frame is not null; frame = frame.Next)
                {
                    if (!frame.Freed)
                    {
                        yield return frame;
                    }
                }
            }

            if (at >= _byEpoch.Count || _byEpoch.GetKeyAtIndex(at) != order)
            {
                at--;
            }
        }
    }

    /// <summary>The frames of one lane of an epoch, in order; they too may be removed during the enumeration.</summary>
    public IEnumerable<HeldFrame> Of(long epochOrder, Lane lane)
    {
        if (_byEpoch.TryGetValue(epochOrder, out var lanes))
        {
            for (var frame = lanes[(int)lane].First; frame is not null; frame = frame.Next)
            {
                if (!frame.Freed)
                {
                    yield return frame;
                }
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static void Link(ref LaneEnds ends, HeldFrame? before, HeldFrame frame, HeldFrame? after)
    {
        frame.PreviousLink = before;
        frame.NextLink = after;
        (before is null ? ref ends.First : ref before.NextLink) = frame;
        (after is null ? ref ends.Last : ref after.PreviousLink) = frame;
    }

    private struct LaneEnds
    {
        public HeldFrame? First;
        public HeldFrame? Last;
    }
}
