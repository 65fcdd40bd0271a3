using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Epochs;

/// <summary>
/// The freed sequences of one lane of one epoch: ascending runs, adjacent ones merged, their shares added.
/// </summary>
internal sealed class FreedRuns(FreedLane freed)
{
    private readonly List<FreedRun> _runs = [.. freed.Runs];
    private FreedLane? _snapshot = freed;

    /// <summary>A snapshot of the freed sequences, which does not change later.</summary>
    public FreedLane Snapshot() => _snapshot ??= new FreedLane([.. _runs]);

    /// <summary>
    /// Adds a frame's range. Returns false at <see cref="FreedLane.RunsMax"/>, if the range would need a new run.
    /// </summary>
    public bool TryAdd(SequenceRange range, ulong share)
    {
        var at = FirstBehind(range.First);
        var joinsBefore = at > 0 && _runs[at - 1].Range.Last + 1 == range.First;
        var joinsAfter = at < _runs.Count && _runs[at].Range.First == range.Last + 1;
        if ((at > 0 && _runs[at - 1].Range.Overlaps(range)) || (at < _runs.Count && _runs[at].Range.Overlaps(range)))
        {
            throw new InvalidOperationException($"{range} is freed already");
        }

        if (!joinsBefore && !joinsAfter && _runs.Count >= FreedLane.RunsMax)
        {
            return false;
        }

        _snapshot = null;
        var first = joinsBefore ? _runs[at - 1] : new FreedRun(range, 0);
        var last = joinsAfter ? _runs[at] : new FreedRun(range, 0);
        var start = joinsBefore ? at - 1 : at;
        _runs.RemoveRange(start, (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0));
        var shares = unchecked(first.Share + last.Share + share);
        _runs.Insert(start, new FreedRun(new SequenceRange(first.Range.First, last.Range.Last), shares));
        return true;
    }

    private int FirstBehind(long sequence)
    {
        int low = 0, high = _runs.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _runs[middle].Range.First < sequence ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
