using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// What is known of one epoch of a gateway: its predecessor, the last sequences ever announced, and its lanes. A
/// complete one has shrunk: everything up to its last sequences is settled, and only lost runs are kept.
/// </summary>
internal sealed class EpochLedger(ulong epoch)
{
    /// <summary>The epoch's id.</summary>
    public ulong Epoch { get; } = epoch;

    /// <summary>As its frames or a hello said; null until one did.</summary>
    public Predecessor? Predecessor { get; private set; }

    /// <summary>The outbox whose hello named it first; null while none did.</summary>
    public ulong? Outbox { get; private set; }

    /// <summary>
    /// The agent's process that sent the last word of it in this memory's life, a frame of it or a hello that names
    /// it; 0 while none came.
    /// </summary>
    public uint HeardFrom { get; private set; }

    /// <summary>True once everything is settled and a successor is known.</summary>
    public bool Complete { get; private set; }

    /// <summary>The last sequences ever announced by a frame, a promise, a hello or a successor.</summary>
    public LaneLasts Lasts { get; private set; }

    /// <summary>The last sequences by which a successor names it; null while none is known.</summary>
    public LaneLasts? NamedLasts { get; private set; }

    /// <summary>True when the epoch's own row must be written.</summary>
    public bool Changed { get; private set; }

    /// <summary>True when its lane rows are to be removed, because it became complete.</summary>
    public bool Shrunk { get; private set; }

    private (HelloId Hello, TimeSpan At)? _missed;

    // None for a complete epoch without lost runs, of which a gateway may have many.
    private LaneLedger[]? _lanes;

    /// <summary>One of its lanes.</summary>
    public LaneLedger this[Lane lane] => (_lanes ??= [new(), new(), new()])[(int)lane];

    /// <summary>True when a frame of it was settled; false for one that was only named, or is lost whole.</summary>
    public bool HasFrame => Array.Exists(
        [Lane.Critical, Lane.Live, Lane.Backlog],
        lane => Complete ? Lasts[lane] > (_lanes?[(int)lane].Lost ?? 0) : _lanes?[(int)lane].HasFrame is true);

    /// <summary>Takes it from the database.</summary>
    public static EpochLedger Load(EpochLedgerRow row, Func<Lane, LaneLedger> lane)
    {
        var ledger = new EpochLedger(row.Epoch)
        {
            Predecessor = row.Predecessor,
            Complete = row.Complete,
            Lasts = row.Lasts,
            Outbox = row.Outbox,
        };
        LaneLedger[] lanes = [lane(Lane.Critical), lane(Lane.Live), lane(Lane.Backlog)];
        if (!row.Complete || lanes.Any(l => l.Runs.Count > 0))
        {
            ledger._lanes = lanes;
        }

        return ledger;
    }

    /// <summary>Remembers that sequences up to these exist.</summary>
    public void Announce(LaneLasts lasts)
    {
        var max = LaneLasts.Max(Lasts, lasts);
        Changed |= max != Lasts;
        Lasts = max;
    }

    /// <summary>Remembers its predecessor; the first word counts.</summary>
    public void Follow(Predecessor predecessor)
    {
        Changed |= Predecessor is null;
        Predecessor ??= predecessor;
    }

    /// <summary>Remembers the outbox that names it as its own; the first word counts.</summary>
    public void BelongTo(ulong outbox)
    {
        Changed |= Outbox is null;
        Outbox ??= outbox;
    }

    /// <summary>
    /// A hello does not name it. True when an earlier one of the same process did not either, came
    /// <paramref name="longBefore"/>, and nothing was heard of the epoch since: one hello alone may be older than the
    /// epoch.
    /// </summary>
    public bool MissedAgainBy(HelloId hello, TimeSpan now, TimeSpan longBefore)
    {
        if (_missed is not { } first || first.Hello.Process != hello.Process)
        {
            _missed = (hello, now);
            return false;
        }

        return hello.IsAfter(first.Hello) && now - first.At >= longBefore;
    }

    /// <summary>One of its frames, or a hello that names it, came; it was sent by this process.</summary>
    public void HeardOf(uint process) => (HeardFrom, _missed) = (process, null);

    /// <summary>Remembers that a successor names it with these last sequences.</summary>
    public void Name(LaneLasts lasts)
    {
        NamedLasts = NamedLasts is { } named ? LaneLasts.Max(named, lasts) : lasts;
    }

    /// <summary>How a range of a lane stands to what is settled.</summary>
    public Placement Place(Lane lane, SequenceRange range)
    {
        var placement = this[lane].Place(range);
        if (!Complete || placement != Placement.New)
        {
            return placement;
        }

        return range.Last <= Lasts[lane] ? Placement.Settled
            : range.First > Lasts[lane] ? Placement.New : Placement.Overlap;
    }

    /// <summary>True when every announced sequence of every lane is settled, lost ones included.</summary>
    public bool AllSettled => Complete
        || (this[Lane.Critical].SettledTo(Lasts.Critical)
            && this[Lane.Live].SettledTo(Lasts.Live)
            && this[Lane.Backlog].SettledTo(Lasts.Backlog));

    /// <summary>True when the sequences up to these are settled.</summary>
    public bool SettledTo(LaneLasts lasts) =>
        SettledTo(Lane.Critical, lasts.Critical) && SettledTo(Lane.Live, lasts.Live)
            && SettledTo(Lane.Backlog, lasts.Backlog);

    /// <summary>
    /// Calls it complete: everything is settled and a successor is known. Its lanes shrink to their lost runs.
    /// </summary>
    public void Close()
    {
        Complete = Changed = Shrunk = true;
        Array.ForEach(_lanes ?? [], l => l.Shrink());
    }

    /// <summary>
    /// A frame came beyond the last sequences of a complete epoch (a fork of lineage): it is open again. All that was
    /// settled is to be written once more: its rows went when the epoch became complete.
    /// </summary>
    public void Reopen()
    {
        Complete = Shrunk = false;
        Changed = true;
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            if (this[lane].SettledTo(Lasts[lane]))
            {
                this[lane].Rewrite(); // Its row went when the epoch became complete.
            }
            else
            {
                var covering = Covering(this[lane], Lasts[lane]);
                _lanes![(int)lane] = covering;
            }
        }
    }

    /// <summary>Nothing is left to write.</summary>
    public void Written()
    {
        Changed = Shrunk = false;
        if (Complete && _lanes is { } lanes && Array.TrueForAll(lanes, l => l.Runs.Count == 0))
        {
            _lanes = null;
        }
    }

    private bool SettledTo(Lane lane, long last) =>
        last == 0 || (Complete ? last <= Lasts[lane] : this[lane].SettledTo(last));

    /// <summary>
    /// The lane of a complete epoch as it was: settled up to its last sequence but for lost runs (shares may be gone).
    /// </summary>
    private static LaneLedger Covering(LaneLedger shrunk, long last)
    {
        var whole = new LaneLedger(shrunk.Prefix, shrunk.PrefixShare, shrunk.Runs);
        var at = shrunk.Prefix + 1;
        foreach (var run in shrunk.Runs.Append(new SettledRun(new SequenceRange(last + 1, last + 1), RunState.Lost, 0))
            .ToArray())
        {
            if (run.Range.First > at)
            {
                whole.Settle(new SequenceRange(at, run.Range.First - 1), 0);
            }

            at = run.Range.Last + 1;
        }

        whole.Rewrite();
        return whole;
    }
}
