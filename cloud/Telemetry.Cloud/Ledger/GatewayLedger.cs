using Telemetry.Cloud.Alerts;
using Telemetry.Cloud.Storage;
using Telemetry.Model;
using Telemetry.Model.Frames;

namespace Telemetry.Cloud.Ledger;

/// <summary>
/// The owner's memory of one gateway: ledger, totals, watermark, known schemas, where alert rules stand. The
/// compare-and-set of each transaction proves that nobody else wrote, so it is only written; when that fails, all of it
/// is thrown away.
/// </summary>
internal sealed class GatewayLedger
{
    private const int RecentMax = 256;

    private readonly Dictionary<ulong, EpochLedger> _epochs = [];
    private readonly Dictionary<FrameKey, ulong> _recent = [];
    private readonly Queue<FrameKey> _recentOrder = [];
    private readonly Dictionary<ulong, long> _outboxes = [];
    private readonly HashSet<(FrameKey, ulong)> _forked = [];
    private readonly HashSet<ulong> _dirtyOutboxes = [];
    private readonly HashSet<EpochLedger> _open = [];
    private readonly HashSet<EpochLedger> _touched = [];
    private GatewayRow _row;
    private GatewayRow? _written;
    private ulong? _digest;

    public GatewayLedger(GatewayRecord record, int partition)
    {
        Gateway = record.Id;
        _row = record.Gateway ?? GatewayRow.New(record.Id, partition);
        _written = record.Gateway;
        Alerts = new GatewayAlerts(record);
        Watermark.Load(_row.Watermark);
        Schemas = new GatewaySchemas(record.Id);
        var lanes = record.Lanes.ToDictionary(l => (l.Epoch, l.Lane));
        var runs = record.Runs.ToLookup(r => (r.Epoch, r.Lane), r => r.Run);
        foreach (var row in record.Epochs)
        {
            _epochs[row.Epoch] = EpochLedger.Load(row, lane =>
            {
                var stored = lanes.GetValueOrDefault((row.Epoch, lane));
                return new LaneLedger(stored?.Prefix ?? 0, stored?.PrefixShare ?? 0, runs[(row.Epoch, lane)]);
            });
        }

        _open.UnionWith(_epochs.Values.Where(e => !e.Complete));
        foreach (var epoch in _epochs.Values)
        {
            if (epoch.Predecessor is { Epoch: not 0 } named && _epochs.TryGetValue(named.Epoch, out var predecessor))
            {
                predecessor.Name(named.Lasts);
            }
        }

        foreach (var outbox in record.Outboxes)
        {
            _outboxes[outbox.Outbox] = outbox.Accepted;
        }
    }

    public GatewayId Gateway { get; }

    public Watermark Watermark { get; } = new();

    /// <summary>Its schemas, read from the database when one is first asked for.</summary>
    public GatewaySchemas Schemas { get; }

    /// <summary>Where alert rules stand on its series; changes only with a frame, which touches its epoch.</summary>
    public GatewayAlerts Alerts { get; }

    public IReadOnlyDictionary<ulong, EpochLedger> Epochs => _epochs;

    /// <summary>True when something may have to be written.</summary>
    public bool Touched => _touched.Count > 0 || _dirtyOutboxes.Count > 0 || Watermark.Pending > 0 || _row != _written;

    /// <summary>How many readings are booked as lost.</summary>
    public long Lost => _row.Lost;

    /// <summary>What kind of fork was seen; empty for none.</summary>
    public string Fork => _row.Fork;

    /// <summary>The digest of the epochs that this ledger calls complete.</summary>
    public ulong Digest => _digest ??= CompleteEpochs.Digest(
        _epochs.Values.Where(e => e.Complete).Select(e => new EpochLasts(e.Epoch, e.Lasts)));

    /// <summary>An epoch, made when it is new.</summary>
    public EpochLedger Epoch(ulong id)
    {
        if (!_epochs.TryGetValue(id, out var epoch))
        {
            _epochs[id] = epoch = new EpochLedger(id);
            _open.Add(epoch);
            foreach (var other in _epochs.Values)
            {
                if (other.Predecessor is { } named && named.Epoch == id)
                {
                    epoch.Name(named.Lasts);
                }
            }
        }

        _touched.Add(epoch);
        return epoch;
    }

    /// <summary>
    /// Remembers that sequences up to these exist. A complete epoch of which more is told is open again.
    /// </summary>
    public void Announce(EpochLedger epoch, LaneLasts lasts)
    {
        if (epoch.Complete && LaneLasts.Max(epoch.Lasts, lasts) != epoch.Lasts)
        {
            Reopen(epoch);
        }

        epoch.Announce(lasts);
    }

    /// <summary>Remembers the last sequences by which a successor, or the agent itself, ends an epoch.</summary>
    public void Name(EpochLedger epoch, LaneLasts lasts)
    {
        Announce(epoch, lasts);
        epoch.Name(lasts);
    }

    /// <summary>
    /// Remembers an epoch's predecessor. Two epochs with one predecessor (none counts as one), or more settled than a
    /// successor names, is a fork of lineage.
    /// </summary>
    public void Follow(EpochLedger epoch, Predecessor predecessor)
    {
        if (epoch.Predecessor is not null || predecessor.Epoch == Predecessor.Unknown)
        {
            return;
        }

        epoch.Follow(predecessor);
        foreach (var other in _epochs.Values)
        {
            if (other != epoch && other.Predecessor is { } twin && twin.Epoch == predecessor.Epoch)
            {
                ShowFork(
                    $"lineage: epochs {other.Epoch:x16} and {epoch.Epoch:x16} both follow {predecessor.Epoch:x16}");
            }
        }

        if (predecessor.Epoch != 0)
        {
            var before = Epoch(predecessor.Epoch);
            Name(before, predecessor.Lasts);
            for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
            {
                CheckNamed(before, lane, before.Complete ? before.Lasts[lane] : before[lane].LastSettled);
            }
        }
    }

    /// <summary>
    /// The outbox that an epoch is of: the one whose hello named it, else its predecessor's, else the only one that
    /// this gateway ever had. Null where that cannot be told: it may be another card's.
    /// </summary>
    public ulong? OutboxOf(EpochLedger epoch)
    {
        for (var steps = 0; steps <= _epochs.Count; steps++)
        {
            if (epoch.Outbox is { } told)
            {
                return told;
            }

            if (epoch.Predecessor is not { Epoch: not 0 } before
                || !_epochs.TryGetValue(before.Epoch, out var predecessor))
            {
                break;
            }

            epoch = predecessor;
        }

        return _outboxes.Count == 1 ? _outboxes.Keys.First() : null;
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

    /// <summary>Shows a fork until an operator explains it; the first one stays.</summary>
    public void ShowFork(string what) => _row = _row.Fork.Length > 0 ? _row : _row with { Fork = what };

    /// <summary>False when that frame was already kept as a fork (while this memory lasts: it is bounded).</summary>
    public bool ForkIsNew(FrameKey key, ulong checksum)
    {
        if (_forked.Count >= RecentMax)
        {
            _forked.Clear();
        }

        return _forked.Add((key, checksum));
    }

    /// <summary>Calls complete what is closed by a successor and settled; returns those that became so.</summary>
    public IReadOnlyList<EpochLedger> CloseEpochs()
    {
        var closed = _open.Where(e => e.NamedLasts is not null && e.AllSettled).ToArray();
        foreach (var epoch in closed)
        {
            epoch.Close();
            _open.Remove(epoch);
            _touched.Add(epoch);
            _digest = null;
        }

        return closed;
    }

    /// <summary>Opens a complete epoch again.</summary>
    public void Reopen(EpochLedger epoch)
    {
        epoch.Reopen();
        _open.Add(epoch);
        _digest = null;
    }

    /// <summary>
    /// Adds to the totals. They stop at the greatest number there is: only a gateway that lies comes there.
    /// </summary>
    public void Count(long stored = 0, long rejected = 0, long dropped = 0, long lost = 0) => _row = _row with
    {
        Stored = Sum(_row.Stored, stored),
        Rejected = Sum(_row.Rejected, rejected),
        Dropped = Sum(_row.Dropped, dropped),
        Lost = Sum(_row.Lost, lost),
    };

    /// <summary>Remembers an outbox' accepted total: the greatest told.</summary>
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

    /// <summary>Remembers a settled frame's checksum for a while.</summary>
    public void Remember(FrameKey key, ulong checksum)
    {
        _recent[key] = checksum;
        _recentOrder.Enqueue(key);
        if (_recentOrder.Count > RecentMax)
        {
            _recent.Remove(_recentOrder.Dequeue());
        }
    }

    /// <summary>Moves the watermark as far as it goes.</summary>
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
        Alerts.WriteChanges(commit);
        foreach (var epoch in _touched)
        {
            WriteChanges(commit, epoch);
        }

        _touched.Clear();
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
