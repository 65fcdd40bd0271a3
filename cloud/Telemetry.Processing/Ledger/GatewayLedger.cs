using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Storage;
using Telemetry.Storage.Windows;

namespace Telemetry.Processing.Ledger;

/// <summary>The ledger of one gateway, with its totals, watermark, known schemas and waiting messages.</summary>
internal sealed class GatewayLedger
{
    private const int RecentMax = 256;

    private readonly EpochIndex _epochs = new();
    private readonly Dictionary<FrameKey, ulong> _recent = [];
    private readonly Queue<FrameKey> _recentOrder = [];
    private readonly Dictionary<ulong, long> _outboxes = [];
    private readonly HashSet<(FrameKey, ulong)> _forked = [];
    private readonly HashSet<ulong> _dirtyOutboxes = [];
    private readonly HashSet<EpochLedger> _touched = [];
    private GatewayRow _row;
    private GatewayRow? _written;

    public GatewayLedger(GatewayRecord record, int partition)
    {
        Gateway = record.Id;
        _row = record.Gateway ?? GatewayRow.New(record.Id, partition);
        _written = record.Gateway;
        Waiting = new WaitingList(record.Waiting);
        Watermark.Load(_row.Watermark);
        Schemas = new GatewaySchemas(record.Id);
        EpochLedger.LoadAll(record).ToList().ForEach(_epochs.Add);

        foreach (var outbox in record.Outboxes)
        {
            _outboxes[outbox.Outbox] = outbox.Accepted;
        }
    }

    public GatewayId Gateway { get; }

    public Watermark Watermark { get; } = new();

    /// <summary>Its schemas, read from the database when one is first asked for.</summary>
    public GatewaySchemas Schemas { get; }

    /// <summary>The event times of the windows whose parts are in memory alone, for the gateway's row.</summary>
    public OpenSpan OpenWindows
    {
        get => _row.OpenWindows;
        set => _row = _row with { OpenWindows = value };
    }

    /// <summary>The offset of its clock, as needed for the time that its frames are in transit.</summary>
    public ClockGap Clock { get; } = new();

    /// <summary>The messages that wait for a schema.</summary>
    public WaitingList Waiting { get; }

    public EpochIndex Epochs => _epochs;

    /// <summary>True when something may have to be written.</summary>
    public bool Touched => _touched.Count > 0 || _dirtyOutboxes.Count > 0 || Watermark.Pending > 0 || _row != _written;

    /// <summary>The gateway's row, with the changes that are not written yet.</summary>
    public GatewayRow Row => _row;

    /// <summary>The number of readings that its outboxes accepted, as far as it said so.</summary>
    public long AcceptedTotal => _outboxes.Values.Aggregate(0L, Sum);

    /// <summary>The number of readings booked as lost.</summary>
    public long Lost => _row.Lost;

    /// <summary>The kinds of fork that were seen; empty for none.</summary>
    public string Fork => _row.Fork;

    /// <summary>The digest of the epochs that this ledger calls complete.</summary>
    public ulong Digest => _epochs.Digest;

    /// <summary>
    /// Returns an epoch that the gateway names, and makes it when it is new. Null when the gateway may have no more
    /// epochs: that is shown as a fork, and not kept. <paramref name="hasFrame"/>: a frame of it can be stored now, so
    /// that it is not only named.
    /// </summary>
    public EpochLedger? Epoch(ulong id, bool hasFrame = false)
    {
        if (!_epochs.TryGetValue(id, out var epoch))
        {
            if (!hasFrame && _epochs.Named >= EpochIndex.NamedMax)
            {
                ShowFork(
                    $"epochs: more than {EpochIndex.NamedMax} are named without any frame of them; further ones are "
                    + "not kept");
                return null;
            }

            if (_epochs.Count >= EpochIndex.EpochsMax)
            {
                ShowFork($"epochs: there are {EpochIndex.EpochsMax}; frames of further ones are not stored");
                return null;
            }

            _epochs.Add(epoch = new EpochLedger(id));
        }

        _touched.Add(epoch);
        return epoch;
    }

    /// <summary>Writes an epoch with the next commit.</summary>
    public void Touch(EpochLedger epoch) => _touched.Add(epoch);

    /// <summary>A frame of the epoch is settled.</summary>
    public void Proven(EpochLedger epoch) => _epochs.Proven(epoch);

    /// <summary>Records that an epoch which the gateway names has sequences up to these.</summary>
    public void Announce(EpochLasts told)
    {
        if (Epoch(told.Epoch) is { } epoch)
        {
            Announce(epoch, told.Lasts);
        }
    }

    /// <summary>
    /// Records that sequences up to these exist. A complete epoch with more sequences than known is opened again.
    /// </summary>
    public void Announce(EpochLedger epoch, LaneLasts lasts)
    {
        if (epoch.Complete && LaneLasts.Max(epoch.Lasts, lasts) != epoch.Lasts)
        {
            Reopen(epoch);
        }

        epoch.Announce(lasts);
    }

    /// <summary>Records the last sequences by which a successor, or the agent itself, ends an epoch.</summary>
    public void Name(EpochLedger epoch, LaneLasts lasts)
    {
        ShowForks(ForkLines.OfEnds(epoch, lasts));
        Announce(epoch, lasts);
        epoch.Name(lasts);
    }

    /// <summary>
    /// Records an epoch's predecessor. It is a fork of lineage when two epochs have the same predecessor ("none" counts
    /// as one), or when more is settled than a successor names.
    /// </summary>
    public void Follow(EpochLedger epoch, Predecessor predecessor)
    {
        if (epoch.Predecessor is not null || predecessor.Epoch == Predecessor.Unknown)
        {
            return;
        }

        if (predecessor.Epoch != 0 && _epochs.TryGetValue(predecessor.Epoch, out var ended))
        {
            ShowForks(ForkLines.OfEnds(ended, predecessor.Lasts));
        }

        if (_epochs.Follow(epoch, predecessor) is { } twin)
        {
            ShowFork($"lineage: epochs {twin.Epoch:x16} and {epoch.Epoch:x16} both follow {predecessor.Epoch:x16}");
        }

        if (predecessor.Epoch != 0 && Epoch(predecessor.Epoch) is { } before)
        {
            Name(before, predecessor.Lasts);
            for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
            {
                CheckNamed(before, lane, before.Complete ? before.Lasts[lane] : before[lane].LastSettled);
            }
        }
    }

    /// <summary>
    /// The outbox that an epoch belongs to: the one whose hello named it, else that of its predecessor, else the only
    /// outbox that this gateway ever had. Null when that is unknown: it may belong to the outbox of another SD card.
    /// </summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="found">What earlier calls found since the ledger last changed, so that no step is repeated.</param>
    public ulong? OutboxOf(EpochLedger epoch, Dictionary<ulong, ulong?> found)
    {
        var way = new List<ulong>();
        ulong? outbox;
        while (!found.TryGetValue(epoch.Epoch, out outbox))
        {
            // Entered before the search goes on, so that a ring of predecessors, which no honest gateway has, ends the
            // search.
            found[epoch.Epoch] = null;
            way.Add(epoch.Epoch);
            outbox = epoch.Outbox;
            if (outbox is not null || epoch.Predecessor is not { Epoch: not 0 } before
                || !_epochs.TryGetValue(before.Epoch, out var predecessor))
            {
                break;
            }

            epoch = predecessor;
        }

        way.ForEach(id => found[id] = outbox);
        return outbox ?? (_outboxes.Count == 1 ? _outboxes.Keys.First() : null);
    }

    /// <summary>A settled sequence beyond those by which a successor names the epoch is a fork of lineage.</summary>
    public void CheckNamed(EpochLedger epoch, Lane lane, long last)
    {
        if (epoch.NamedLasts is { } named && last > named[lane])
        {
            ShowFork(
                $"lineage: {lane.Name()} {last} of epoch {epoch.Epoch:x16} is beyond {named[lane]}, its successor's "
                + "word");
        }
    }

    /// <summary>Shows a fork until an operator explains it; see <see cref="ForkLines"/>.</summary>
    public void ShowFork(string what) => _row = ForkLines.Shown(_row, what);

    /// <summary>
    /// False when that frame was already kept as a fork. The memory of this is bounded, and lost with the ledger's
    /// memory.
    /// </summary>
    public bool ForkIsNew(FrameKey key, ulong checksum)
    {
        if (_forked.Count >= RecentMax)
        {
            _forked.Clear();
        }

        return _forked.Add((key, checksum));
    }

    /// <summary>
    /// Marks as complete the epochs that have a successor and are settled. Returns those that became complete.
    /// </summary>
    public IReadOnlyList<EpochLedger> CloseEpochs()
    {
        var closed = _touched.Where(e => e is { Complete: false, NamedLasts: not null, AllSettled: true }).ToArray();
        Array.ForEach(closed, _epochs.Close);
        return closed;
    }

    /// <summary>Opens a complete epoch again.</summary>
    public void Reopen(EpochLedger epoch) => _epochs.Reopen(epoch);

    /// <summary>
    /// Adds to the totals. They stop at the greatest number possible, which only a gateway that reports false counts
    /// reaches.
    /// </summary>
    public void Count(long stored = 0, long rejected = 0, long dropped = 0, long lost = 0) => _row = _row with
    {
        Stored = Sum(_row.Stored, stored),
        Rejected = Sum(_row.Rejected, rejected),
        Dropped = Sum(_row.Dropped, dropped),
        Lost = Sum(_row.Lost, lost),
    };

    /// <summary>Records an outbox' accepted total: the greatest one reported counts.</summary>
    public void Accepted(ulong outbox, long total)
    {
        if (!_outboxes.TryGetValue(outbox, out var known) || total > known)
        {
            _outboxes[outbox] = total;
            _dirtyOutboxes.Add(outbox);
        }
    }

    /// <summary>The checksum of a frame that was settled lately; null when it is not in memory.</summary>
    public ulong? RecentChecksum(FrameKey key) => _recent.TryGetValue(key, out var checksum) ? checksum : null;

    /// <summary>Keeps a settled frame's checksum for a while.</summary>
    public void Remember(FrameKey key, ulong checksum)
    {
        _recent[key] = checksum;
        _recentOrder.Enqueue(key);
        if (_recentOrder.Count > RecentMax)
        {
            _recent.Remove(_recentOrder.Dequeue());
        }
    }

    /// <summary>Moves the watermark as far as possible.</summary>
    public void AdvanceWatermark()
    {
        Watermark.Advance(Digest, e => _epochs.TryGetValue(e.Epoch, out var epoch) && epoch.SettledTo(e.Lasts));
        _row = _row with { Watermark = Watermark.Value };
    }

    /// <summary>Adds all rows that changed since the last call to a commit.</summary>
    public void WriteChanges(StoreCommit commit)
    {
        if (_row != _written)
        {
            commit.Gateways.Add(_written = _row);
        }

        foreach (var outbox in _dirtyOutboxes)
        {
            commit.Outboxes.Add(new OutboxRow(Gateway, outbox, _outboxes[outbox]));
        }

        _dirtyOutboxes.Clear();
        foreach (var epoch in _touched)
        {
            WriteChanges(commit, epoch);
        }

        _touched.Clear();
    }

    private void ShowForks(IEnumerable<string> lines)
    {
        foreach (var line in lines.ToArray())
        {
            ShowFork(line);
        }
    }

    private static long Sum(long total, long more) => (long)Int128.Clamp((Int128)total + more, 0, long.MaxValue);

    private void WriteChanges(StoreCommit commit, EpochLedger epoch)
    {
        if (epoch.Changed)
        {
            commit.Epochs.Add(new EpochLedgerRow(
                Gateway, epoch.Epoch, epoch.Predecessor, epoch.Complete, epoch.Lasts, epoch.Outbox));
        }

        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            var ledger = epoch[lane];
            if (ledger.Changed && !epoch.Complete)
            {
                commit.Lanes.Add(new LaneLedgerRow(Gateway, epoch.Epoch, lane, ledger.Prefix, ledger.PrefixShare));
            }

            ledger.TakeChanges(
                first => commit.RemovedRuns.Add(new RunId(Gateway, epoch.Epoch, lane, first)),
                run => commit.Runs.Add(new RunRow(Gateway, epoch.Epoch, lane, run)));
        }

        if (epoch.Shrunk)
        {
            commit.RemovedLanes.Add((Gateway, epoch.Epoch));
        }

        epoch.Written();
    }
}
