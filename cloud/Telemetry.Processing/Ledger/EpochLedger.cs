using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Storage;

namespace Telemetry.Processing.Ledger;

/// <summary>
/// The state of one epoch of a gateway: its predecessor, the last sequences ever announced, and its lanes. A complete
/// epoch has shrunk: everything up to its last sequences is settled, and only lost runs are kept.
/// </summary>
internal sealed class EpochLedger(ulong epoch)
{
    /// <summary>The epoch's id.</summary>
    public ulong Epoch { get; } = epoch;

    /// <summary>The predecessor named by its frames or a hello; null until one named it.</summary>
    public Predecessor? Predecessor { get; private set; }

    /// <summary>The outbox whose hello named this epoch first; null until one did.</summary>
    public ulong? Outbox { get; private set; }

    /// <summary>
    /// The agent's process that last sent something of this epoch, a frame or a hello that names it, since this memory
    /// was loaded; 0 when nothing arrived.
    /// </summary>
    public uint HeardFrom { get; private set; }

    /// <summary>True once everything is settled and a successor is known.</summary>
    public bool Complete { get; private set; }

    /// <summary>The last sequences ever announced by a frame, a promise, a hello or a successor.</summary>
    public LaneLasts Lasts { get; private set; }

    /// <summary>The last sequences by which a successor names this epoch; null while no successor is known.</summary>
    public LaneLasts? NamedLasts { get; private set; }

    /// <summary>True when the epoch's own row must be written; so for one that is new.</summary>
    public bool Changed { get; private set; } = true;

    /// <summary>True when its lane rows must be removed, because it became complete.</summary>
    public bool Shrunk { get; private set; }

    private (HelloId Hello, TimeSpan At)? _omitted, _shortened;

    // Null for a complete epoch without lost runs, of which a gateway may have many.
    private LaneLedger[]? _lanes;

    /// <summary>One of its lanes.</summary>
    public LaneLedger this[Lane lane] => (_lanes ??= [new(), new(), new()])[(int)lane];

    /// <summary>
    /// True when a frame of it was settled; false for an epoch that was only named, or is lost as a whole.
    /// </summary>
    public bool HasFrame => Array.Exists(
        [Lane.Critical, Lane.Live, Lane.Backlog],
        lane => Complete ? Lasts[lane] > (_lanes?[(int)lane].Lost ?? 0) : _lanes?[(int)lane].HasFrame is true);

    /// <summary>Loads all epochs of a gateway from the database's rows.</summary>
    public static IEnumerable<EpochLedger> LoadAll(GatewayRecord record)
    {
        var lanes = record.Lanes.ToDictionary(l => (l.Epoch, l.Lane));
        var runs = record.Runs.ToLookup(r => (r.Epoch, r.Lane), r => r.Run);
        return record.Epochs.Select(row => Load(row, lane =>
        {
            var stored = lanes.GetValueOrDefault((row.Epoch, lane));
            return new LaneLedger(stored?.Prefix ?? 0, stored?.PrefixShare ?? 0, runs[(row.Epoch, lane)]);
        }));
    }

    private static EpochLedger Load(EpochLedgerRow row, Func<Lane, LaneLedger> lane)
    {
        var ledger = new EpochLedger(row.Epoch)
        {
            Changed = false,
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

    /// <summary>Records that sequences up to these exist.</summary>
    public void Announce(LaneLasts lasts)
    {
        var max = LaneLasts.Max(Lasts, lasts);
        Changed |= max != Lasts;
        Lasts = max;
    }

    /// <summary>Records its predecessor; the first one named counts.</summary>
    public void Follow(Predecessor predecessor)
    {
        Changed |= Predecessor is null;
        Predecessor ??= predecessor;
    }

    /// <summary>Records the outbox that names it as its own; the first one counts.</summary>
    public void BelongTo(ulong outbox)
    {
        Changed |= Outbox is null;
        Outbox ??= outbox;
    }

    /// <summary>
    /// A hello does not name this epoch. Returns true when an earlier hello of the same process did not name it either
    /// and arrived at least <paramref name="longBefore"/> earlier, and the owner has listened since and received
    /// nothing of the epoch: a single hello may be older than the epoch.
    /// </summary>
    public bool IsOmittedAgain(HelloId hello, ListeningPeriod listening, TimeSpan longBefore) =>
        Again(ref _omitted, hello, listening, longBefore);

    /// <summary>True when nothing was received of the epoch since a hello omitted it again.</summary>
    public bool IsStillOmitted(HelloId hello) => _omitted is { } first && hello.IsAfter(first.Hello);

    /// <summary>
    /// A hello of an outbox that was put back names this epoch and knows of fewer sequences than were announced.
    /// Returns true when an earlier hello of the same process knew of fewer too and arrived at least
    /// <paramref name="longBefore"/> earlier, and the owner has listened since and received nothing of the epoch from
    /// another process: the copy of the outbox that has the others may still exist.
    /// </summary>
    public bool IsShortenedAgain(HelloId hello, ListeningPeriod listening, TimeSpan longBefore) =>
        Again(ref _shortened, hello, listening, longBefore);

    /// <summary>
    /// True when nothing was received of the epoch from another process since a hello shortened it again.
    /// </summary>
    public bool IsStillShortened(HelloId hello) => _shortened is { } first && hello.IsAfter(first.Hello);

    /// <summary>A frame of it, or a hello that names it, arrived from this process.</summary>
    public void HeardOf(uint process)
    {
        HeardFrom = process;
        _omitted = null;
        if (_shortened?.Hello.Process != process)
        {
            _shortened = null;
        }
    }

    private static bool Again(
        ref (HelloId Hello, TimeSpan At)? seen, HelloId hello, ListeningPeriod listening, TimeSpan longBefore)
    {
        if (seen is not { } first || first.Hello.Process != hello.Process || first.At < listening.Since)
        {
            seen = (hello, listening.Now);
            return false;
        }

        return hello.IsAfter(first.Hello) && listening.Now - first.At >= longBefore;
    }

    /// <summary>Records that a successor names it with these last sequences.</summary>
    public void Name(LaneLasts lasts)
    {
        NamedLasts = NamedLasts is { } named ? LaneLasts.Max(named, lasts) : lasts;
    }

    /// <summary>How a range of a lane relates to what is settled.</summary>
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
    /// Marks it as complete: everything is settled and a successor is known. Its lanes shrink to their lost runs.
    /// </summary>
    public void Close()
    {
        Complete = Changed = Shrunk = true;
        Array.ForEach(_lanes ?? [], l => l.Shrink());
    }

    /// <summary>
    /// A frame arrived beyond the last sequences of a complete epoch (a fork of lineage): the epoch is open again.
    /// Everything settled must be written again, because its rows were removed when the epoch became complete.
    /// </summary>
    public void Reopen()
    {
        Complete = Shrunk = false;
        Changed = true;
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            this[lane].Restore(Lasts[lane]);
        }
    }

    /// <summary>Everything was written.</summary>
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
}
