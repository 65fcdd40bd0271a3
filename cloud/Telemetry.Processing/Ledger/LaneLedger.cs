using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;

namespace Telemetry.Processing.Ledger;

/// <summary>How a range relates to what is settled already.</summary>
internal enum Placement
{
    /// <summary>No sequence of it is settled.</summary>
    New,

    /// <summary>All of it is stored, rejected or dropped: a duplicate, unless its content differs.</summary>
    Settled,

    /// <summary>All of it was booked as lost, and its bytes arrived after all.</summary>
    Lost,

    /// <summary>
    /// A part is settled and a part is not. An agent that follows the rules never makes such a range.
    /// </summary>
    Overlap,
}

/// <summary>
/// The settled sequences of one lane of one epoch: a prefix without lost sequences, and runs beyond it. Its size grows
/// with the number of gaps, not of readings. Has one owner; remembers which runs changed since they were last written.
/// </summary>
internal sealed class LaneLedger
{
    private readonly List<SettledRun> _runs = [];
    private readonly HashSet<long> _written = [];
    private readonly HashSet<long> _dirty = [];

    public LaneLedger()
    {
    }

    public LaneLedger(long prefix, ulong prefixShare, IEnumerable<SettledRun> runs)
    {
        Prefix = prefix;
        PrefixShare = prefixShare;
        _runs.AddRange(runs.OrderBy(r => r.Range.First));
        _written.UnionWith(_runs.Select(r => r.Range.First));
    }

    /// <summary>Every sequence up to here is stored, rejected or dropped.</summary>
    public long Prefix { get; private set; }

    /// <summary>The sum of the shares of the frames in the prefix.</summary>
    public ulong PrefixShare { get; private set; }

    /// <summary>Runs beyond the prefix, ascending.</summary>
    public IReadOnlyList<SettledRun> Runs => _runs;

    /// <summary>True when the prefix moved since <see cref="TakeChanges"/>.</summary>
    public bool Changed { get; private set; }

    /// <summary>The last sequence that is settled in any way; 0 when none is.</summary>
    public long LastSettled => _runs.Count > 0 ? _runs[^1].Range.Last : Prefix;

    /// <summary>True when a frame of it was ever settled.</summary>
    public bool HasFrame => Prefix > 0 || _runs.Exists(r => r.State == RunState.Settled);

    /// <summary>The number of sequences booked as lost.</summary>
    public long Lost => _runs.Sum(r => r.State == RunState.Lost ? r.Range.Count : 0);

    /// <summary>How a range relates to what is settled.</summary>
    public Placement Place(SequenceRange range)
    {
        if (range.Last <= Prefix)
        {
            return Placement.Settled;
        }

        if (range.First <= Prefix)
        {
            return Placement.Overlap;
        }

        var i = FirstReaching(range.First);
        if (i == _runs.Count || !_runs[i].Range.Overlaps(range))
        {
            return Placement.New;
        }

        return !_runs[i].Range.Contains(range) ? Placement.Overlap
            : _runs[i].State == RunState.Lost ? Placement.Lost : Placement.Settled;
    }

    /// <summary>True when every sequence up to <paramref name="last"/> is settled, lost ones included.</summary>
    public bool SettledTo(long last)
    {
        var at = Prefix;
        for (var i = 0; at < last && i < _runs.Count && _runs[i].Range.First == at + 1; i++)
        {
            at = _runs[i].Range.Last;
        }

        return at >= last;
    }

    /// <summary>Settles a new range.</summary>
    public void Settle(SequenceRange range, ulong share) => Insert(new SettledRun(range, RunState.Settled, share));

    /// <summary>Settles a range that was booked as lost.</summary>
    public void Recover(SequenceRange range, ulong share)
    {
        var i = FirstReaching(range.First);
        var lost = _runs[i].Range;
        RemoveAt(i);
        if (lost.First < range.First)
        {
            InsertAt(i++, new SettledRun(new SequenceRange(lost.First, range.First - 1), RunState.Lost, 0));
        }

        if (range.Last < lost.Last)
        {
            InsertAt(i, new SettledRun(new SequenceRange(range.Last + 1, lost.Last), RunState.Lost, 0));
        }

        Settle(range, share);
    }

    /// <summary>
    /// Books the sequences of a range that are not settled as lost. Returns how many sequences these are.
    /// </summary>
    public long BookLost(SequenceRange range)
    {
        var booked = 0L;
        var at = Math.Max(range.First, Prefix + 1);
        while (at <= range.Last)
        {
            var i = FirstReaching(at);
            var next = i < _runs.Count ? _runs[i].Range : new SequenceRange(long.MaxValue, long.MaxValue);
            if (next.First <= at)
            {
                at = next.Last + 1;
                continue;
            }

            var gap = new SequenceRange(at, Math.Min(range.Last, next.First - 1));
            Insert(new SettledRun(gap, RunState.Lost, 0));
            booked += gap.Count;
            at = gap.Last + 1;
        }

        return booked;
    }

    /// <summary>
    /// Keeps only lost runs: the epoch is complete, and everything else up to its last sequence is settled.
    /// </summary>
    public void Shrink()
    {
        for (var i = _runs.Count - 1; i >= 0; i--)
        {
            if (_runs[i].State == RunState.Settled)
            {
                RemoveAt(i);
            }
        }
    }

    /// <summary>
    /// The epoch is open again: everything up to its last sequence is settled but for the lost runs (shares may be
    /// gone), and is written, because its rows were removed when the epoch became complete.
    /// </summary>
    public void Restore(long last)
    {
        var at = Prefix + 1;
        foreach (var run in _runs.ToArray())
        {
            if (run.Range.First > at)
            {
                Settle(new SequenceRange(at, run.Range.First - 1), 0);
            }

            at = run.Range.Last + 1;
        }

        if (at <= last)
        {
            Settle(new SequenceRange(at, last), 0);
        }

        Changed = true;
        _dirty.UnionWith(_runs.Select(r => r.Range.First));
    }

    /// <summary>
    /// Passes on what must be written since the last call: runs that were removed, and runs that are new or changed.
    /// </summary>
    public void TakeChanges(Action<long> removed, Action<SettledRun> written)
    {
        foreach (var first in _dirty)
        {
            var i = FirstReaching(first);
            if (i < _runs.Count && _runs[i].Range.First == first)
            {
                written(_runs[i]);
                _written.Add(first);
            }
            else if (_written.Remove(first))
            {
                removed(first);
            }
        }

        _dirty.Clear();
        Changed = false;
    }

    private void Insert(SettledRun run)
    {
        Changed = true;
        var i = FirstReaching(run.Range.First);
        if (i < _runs.Count && _runs[i].Range.First == run.Range.Last + 1 && _runs[i].State == run.State)
        {
            run = Join(run, _runs[i]);
            RemoveAt(i);
        }

        if (i > 0 && _runs[i - 1].Range.Last == run.Range.First - 1 && _runs[i - 1].State == run.State)
        {
            run = Join(_runs[--i], run);
            RemoveAt(i);
        }

        InsertAt(i, run);
        while (_runs.Count > 0 && _runs[0].State == RunState.Settled && _runs[0].Range.First == Prefix + 1)
        {
            Prefix = _runs[0].Range.Last;
            PrefixShare += _runs[0].Share;
            RemoveAt(0);
        }
    }

    private static SettledRun Join(SettledRun a, SettledRun b) =>
        new(new SequenceRange(a.Range.First, b.Range.Last), a.State, a.Share + b.Share);

    private void InsertAt(int i, SettledRun run)
    {
        _runs.Insert(i, run);
        _dirty.Add(run.Range.First);
    }

    private void RemoveAt(int i)
    {
        _dirty.Add(_runs[i].Range.First);
        _runs.RemoveAt(i);
    }

    /// <summary>The index of the first run that ends at or after a sequence.</summary>
    private int FirstReaching(long sequence)
    {
        int low = 0, high = _runs.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_runs[middle].Range.Last < sequence)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
