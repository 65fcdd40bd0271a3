using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Simulation.Checking.Online;
using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>One gateway's journal, disk, ledger and readings, held against each other.</summary>
internal sealed class GatewayBooks
{
    private const int FramesShown = 5;

    private readonly SimulatedWorld _world;
    private readonly GatewayMachine _gateway;
    private readonly Journal _journal;
    private readonly GatewayRecord _record;
    private readonly GatewayRow _row;
    private readonly FrameRegisterRow[] _register;
    private readonly Dictionary<ulong, int> _stored;
    private readonly LogContent _log;
    private readonly GatewayFacts _facts;
    private readonly int _readings;

    public GatewayBooks(SimulatedWorld world, GatewayMachine gateway, IReadOnlyCollection<ulong> readings)
    {
        (_world, _gateway, _journal) = (world, gateway, gateway.Generator.Journal);
        _record = world.Store.Content.Record(gateway.Id);
        _row = _record.Gateway ?? GatewayRow.New(gateway.Id, 0);
        _register = [.. SimulatedDatabase.All(world.Store.Content.Frames).Where(f => f.Gateway == gateway.Id)];
        _stored = readings.CountBy(hash => hash).ToDictionary();
        _readings = readings.Count;
        _log = new LogContent(world, gateway.Id, gateway.Disk.Snapshot().Schemas.Values.Select(s => s.Message));
        _facts = world.Judge.FactsOf(gateway.Id);
    }

    private bool MayDrop => _world.Mix.Has(Fault.ReadingDropped) || _world.Mix.Has(Fault.FrameRefused);

    private WaitingId[] Waiting => [.. _record.Waiting.Select(w => w.Id)];

    private long Declared => _row.Rejected + _row.Dropped + _row.Lost;

    /// <summary>
    /// The gateway's totals are those of the register, of the ledger and of the readings; no frame is in it twice.
    /// </summary>
    public IEnumerable<string> Totals()
    {
        var sum = _stored.Aggregate(0UL, (s, r) => s + (r.Key * (ulong)r.Value));
        var lost = _record.Runs.Where(r => r.Run.State == RunState.Lost).Sum(r => r.Run.Range.Count);
        return Problems(
            (_row.Stored != _readings, $"stored says {_row.Stored}, there are {_readings} readings"),
            (_row.Stored != _register.Sum(f => (long)f.Stored), "stored differs from the register's sum"),
            (_row.Rejected != _register.Sum(f => (long)f.Rejected), "rejected differs from the register's sum"),
            (_row.Dropped != _register.Sum(f => (long)f.Dropped), "dropped differs from the register's sum"),
            (_row.Lost != lost, $"lost says {_row.Lost}, the runs say {lost}"),
            (_register.Aggregate(0UL, (s, f) => s + f.HashSum) != sum,
                "the register's hash sums differ from the readings'"),
            (_log.Unreadable > 0 && !_facts.Excuses.SchemaGone,
                $"{_log.Unreadable} frames of the log need a schema that the database lacks"),
            // A broker may bring a frame and lose its schema; then only the disk has it, until that is put back.
            (_log.WithoutSchema > 0 && !_facts.Excuses.SchemaGone && _gateway.PutBack.Count == 0,
                $"{_log.WithoutSchema} frames of the log need a schema that nobody has"),
            (Waiting.Any(w => _world.Store.Content.Chain(_gateway.Id, w.Needs) is not null),
                "messages wait for a schema that is registered"),
            (_log.WithoutSchema > Waiting.Length && Waiting.Length < WaitingList.MessagesMax,
                $"{_log.WithoutSchema} frames of the log cannot be read, and {Waiting.Length} messages wait"),
            (Unstored().Length > 0,
                $"the log has frames that are not stored: {string.Join(", ", Unstored())}"),
            (Overlap() is not null, $"two frames of the register overlap: {Overlap()}"),
            (_row.Rejected > _journal.Refused.Count && !_facts.IsForked,
                $"{_row.Rejected} rejected, {_journal.Refused.Count} are such as the database refuses"));
    }

    /// <summary>What must hold to the reading.</summary>
    public IEnumerable<string> Exact()
    {
        var accepted = _gateway.Disk.Snapshot().Accepted;
        var settled = _row.Stored + Declared;
        var missing = Missing();
        var told = _record.Outboxes.Sum(o => o.Accepted);
        return Problems(
            (accepted != settled, $"accepted {accepted}, settled {settled} ({_row})"),
            (told > accepted || (told < accepted && !_world.AgentsAreOff),
                $"accepted {accepted}, the ledger was told {told}"),
            (Twice() > 0, $"{Twice()} readings are stored twice"),
            (Unknown() > 0, $"{Unknown()} stored readings were never attempted, or their values differ"),
            (missing.Length > Declared,
                $"{missing.Length} acknowledged readings are not stored, {Declared} are declared"
                + Ages(missing)),
            (Declared > _journal.Attempted - _stored.Count,
                $"{Declared} declared, more than were attempted and not stored"),
            (accepted > _journal.Attempted || accepted < _journal.Acknowledged,
                $"accepted {accepted}, attempted {_journal.Attempted}, acknowledged {_journal.Acknowledged}"),
            (Undeclared(missing) > _row.Dropped + _row.Lost,
                $"{Undeclared(missing)} are missing that the database does not refuse, {_row.Dropped} are dropped, "
                + $"{_row.Lost} lost"),
            (_row.Dropped > 0 && !MayDrop, $"{_row.Dropped} dropped, though nothing was over its quota"),
            (!_world.AgentsAreOff && _row.Watermark < _world.Judge.WatermarkDue(_gateway.Id),
                $"the watermark stands at {_row.Watermark}, behind {_world.Judge.WatermarkDue(_gateway.Id)}"),
            (Unexcused(missing).Length > 0,
                "readings are missing of frames that may not be lost" + Ages(Unexcused(missing))),
            (_row.Fork.Length > 0, $"a fork is shown, though no outbox was put back: {_row.Fork}"));
    }

    /// <summary>What must hold of a gateway whose outbox was put back.</summary>
    public IEnumerable<string> PutBack()
    {
        var doubled = _stored.Where(r => r.Value > 1 && !_facts.MayBeDoubled(r.Key)).ToArray();
        var oldest = _gateway.PutBack.Min(p => p.TakenAt);
        var missing = Missing();
        return Problems(
            (Unknown() > 0, $"{Unknown()} stored readings were never attempted, or their values differ"),
            (doubled.Length > 0, $"{doubled.Length} readings are doubled that no copy that was put back held unsealed"),
            (Unexcused(missing).Any(e => e.Value.AcknowledgedAt < oldest),
                "readings are missing that were acknowledged before the copy was taken"
                + Ages(Unexcused(missing))),
            (_log.IsForked && _row.Fork.Length == 0, "two lives of the outbox reached the log, and no fork is shown"),
            (Unsettled().Length > 0,
                $"announced, and neither settled nor booked as lost: {string.Join(", ", Unsettled())}"),
            (_row.Dropped > 0 && !MayDrop, $"{_row.Dropped} dropped, though nothing was over its quota"));
    }

    /// <summary>Epochs of which a frame or hello announced more than the ledger has an end for.</summary>
    private string[] Unsettled() =>
    [
        .. new GatewayLedger(_record, 0).Epochs.Values.Where(e => !e.AllSettled)
            .Select(e => $"epoch {e.Epoch:x16} to {e.Lasts}"),
    ];

    private KeyValuePair<ulong, JournalEntry>[] Missing() =>
        [.. _journal.Entries.Where(e => e.Value.AcknowledgedAt is not null && !_stored.ContainsKey(e.Key))];

    /// <summary>Those in no frame that may be lost.</summary>
    private KeyValuePair<ulong, JournalEntry>[] Unexcused(KeyValuePair<ulong, JournalEntry>[] missing) =>
    [
        .. missing.Where(e => !_journal.Refused.Contains(e.Key)
            && !_facts.Sealed.Of(e.Key).Any(_facts.Excuses.MayBeLost) && _facts.Sealed.Of(e.Key).Count > 0),
    ];

    /// <summary>How many are missing that the database would take.</summary>
    private int Undeclared(KeyValuePair<ulong, JournalEntry>[] missing) =>
        missing.Count(e => !_journal.Refused.Contains(e.Key));

    private FrameKey[] Unstored() =>
    [
        .. _log.Readings.Where(r => !_stored.ContainsKey(r.Key) && !_journal.Refused.Contains(r.Key))
            .Select(r => r.Value).Distinct()
            .Where(key => !_facts.Excuses.MayBeLost(key) && !IsKept(key)),
    ];

    /// <summary>
    /// True for a frame of a second life whose sequences were settled with other content: a dead letter keeps it.
    /// </summary>
    private bool IsKept(FrameKey key) => _facts.IsForked && SimulatedDatabase.All(_world.Store.Content.DeadLetters)
        .Any(d => d.Gateway == _gateway.Id && d.Frame == key && d.Reason == DeadLetterReason.Fork);

    private int Twice() => _stored.Values.Count(times => times > 1);

    private int Unknown() => _stored.Keys.Count(hash => !_journal.Entries.ContainsKey(hash));

    private string? Overlap()
    {
        foreach (var lane in _register.GroupBy(f => (f.Key.Epoch, f.Key.Lane)))
        {
            var last = 0L;
            foreach (var frame in lane.OrderBy(f => f.Key.First))
            {
                if (frame.Key.First <= last)
                {
                    return $"{frame.Key} begins before {last} ends";
                }

                last = frame.Key.Last;
            }
        }

        return null;
    }

    private string Ages(KeyValuePair<ulong, JournalEntry>[] entries) => entries.Length == 0
        ? ""
        : $"; acknowledged at {entries.Min(e => e.Value.AcknowledgedAt)} to "
            + $"{entries.Max(e => e.Value.AcknowledgedAt)}, in "
            + string.Join(", ", entries.SelectMany(e => _facts.Sealed.Of(e.Key)).Distinct().Take(FramesShown));

    private IEnumerable<string> Problems(params (bool Is, string What)[] checks) =>
        checks.Where(c => c.Is).Select(c => $"{_gateway.Id}: {c.What}");
}
