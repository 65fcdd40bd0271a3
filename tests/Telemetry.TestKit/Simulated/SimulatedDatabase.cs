using System.Collections.Immutable;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Simulated;

/// <summary>A partition's row with its lease; <see cref="PartitionRow.Token"/> 0 before the first owner.</summary>
public sealed record SimulatedPartition(PartitionRow Row, string Owner, DateTimeOffset LeaseEnd);

/// <summary>A reading as it is in the database.</summary>
public sealed record SimulatedReading(
    SeriesIdentity Series, MetricType Type, long Time, ReadingFlags Flags, ulong Bits, ReadOnlyMemory<byte> Text)
{
    /// <summary>The hash that journals and the register use.</summary>
    public ulong Hash => Type == MetricType.Text && (Flags & ReadingFlags.Null) == 0
        ? ReadingHash.OfText(Series, Time, Flags, Text.Span)
        : ReadingHash.Of(Series, Time, Type, Bits, Flags);
}

/// <summary>
/// The whole content of the simulated database at one moment. Immutable, so that a backup is this object and a restore
/// is an assignment. Tables that only grow are stacks of the rows that each transaction added.
/// </summary>
public sealed record SimulatedDatabase
{
    public static readonly SimulatedDatabase Empty = new();

    /// <summary>The facts fixed at installation; null before the first start.</summary>
    public InstallationFacts? Installation { get; init; }

    public ImmutableDictionary<int, SimulatedPartition> Partitions { get; init; } =
        ImmutableDictionary<int, SimulatedPartition>.Empty;

    /// <summary>The widths of windows, in the order in which they were added.</summary>
    public ImmutableList<WindowWidth> Widths { get; init; } = [];

    /// <summary>The workers that reported to be alive, and until when.</summary>
    public ImmutableDictionary<(string Owner, int Worker), (LiveWorker Worker, DateTimeOffset AliveUntil)> Workers
    {
        get;
        init;
    } = ImmutableDictionary<(string, int), (LiveWorker, DateTimeOffset)>.Empty;

    public ImmutableDictionary<GatewayId, GatewayRow> Gateways { get; init; } =
        ImmutableDictionary<GatewayId, GatewayRow>.Empty;

    public ImmutableDictionary<(GatewayId Gateway, ulong Outbox), OutboxRow> Outboxes { get; init; } =
        ImmutableDictionary<(GatewayId, ulong), OutboxRow>.Empty;

    public ImmutableDictionary<(GatewayId Gateway, ulong Epoch), EpochLedgerRow> Epochs { get; init; } =
        ImmutableDictionary<(GatewayId, ulong), EpochLedgerRow>.Empty;

    public ImmutableDictionary<(GatewayId Gateway, ulong Epoch, Lane Lane), LaneLedgerRow> Lanes { get; init; } =
        ImmutableDictionary<(GatewayId, ulong, Lane), LaneLedgerRow>.Empty;

    public ImmutableDictionary<RunId, RunRow> Runs { get; init; } = ImmutableDictionary<RunId, RunRow>.Empty;

    public ImmutableDictionary<AlertStateId, AlertStateRow> AlertStates { get; init; } =
        ImmutableDictionary<AlertStateId, AlertStateRow>.Empty;

    /// <summary>The alert history.</summary>
    public ImmutableDictionary<UInt128, AlertRow> Alerts { get; init; } = ImmutableDictionary<UInt128, AlertRow>.Empty;

    /// <summary>By partition and number, as the table's key is.</summary>
    public ImmutableSortedDictionary<(int Partition, long Number), AlertOutboxRow> AlertOutbox { get; init; } =
        ImmutableSortedDictionary<(int, long), AlertOutboxRow>.Empty;

    public SimulatedRelayTables Relay { get; init; } = SimulatedRelayTables.Empty;

    public ImmutableDictionary<(GatewayId Gateway, SchemaId Id), SchemaMessage> Schemas { get; init; } =
        ImmutableDictionary<(GatewayId, SchemaId), SchemaMessage>.Empty;

    /// <summary>The numbers of all series that were registered.</summary>
    public ImmutableDictionary<SeriesIdentity, SeriesNumbers> Series { get; init; } =
        ImmutableDictionary<SeriesIdentity, SeriesNumbers>.Empty;

    /// <summary>The numbers of their devices.</summary>
    public ImmutableDictionary<SeriesIdentity, int> Devices { get; init; } =
        ImmutableDictionary<SeriesIdentity, int>.Empty;

    public ImmutableStack<ImmutableArray<SimulatedReading>> Readings { get; init; } =
        ImmutableStack<ImmutableArray<SimulatedReading>>.Empty;

    public ImmutableStack<ImmutableArray<FrameRegisterRow>> Frames { get; init; } =
        ImmutableStack<ImmutableArray<FrameRegisterRow>>.Empty;

    public ImmutableStack<ImmutableArray<DropLedgerRow>> Drops { get; init; } =
        ImmutableStack<ImmutableArray<DropLedgerRow>>.Empty;

    public ImmutableStack<ImmutableArray<DeadLetterRow>> DeadLetters { get; init; } =
        ImmutableStack<ImmutableArray<DeadLetterRow>>.Empty;

    /// <summary>Parts of windows, by the number of the series.</summary>
    public ImmutableDictionary<(int Series, long Start), ImmutableList<WindowPart>> Parts { get; init; } =
        ImmutableDictionary<(int, long), ImmutableList<WindowPart>>.Empty;

    public ImmutableStack<ImmutableArray<WindowRevisionRow>> Revisions { get; init; } =
        ImmutableStack<ImmutableArray<WindowRevisionRow>>.Empty;

    /// <summary>Messages that wait for a schema, the oldest first.</summary>
    public ImmutableList<WaitingRow> Waiting { get; init; } = [];

    /// <summary>
    /// The database after a commit that a partition's owner may make; null when its rows are not as expected.
    /// </summary>
    public SimulatedDatabase? With(StoreCommit commit, DateTimeOffset now)
    {
        var partitions = Partitions;
        foreach (var step in commit.Partitions)
        {
            if (partitions.GetValueOrDefault(step.Expected.Partition) is not { } held || held.Row != step.Expected)
            {
                return null;
            }

            partitions = partitions.SetItem(step.Expected.Partition, held with
            {
                Row = held.Row with
                {
                    Commits = held.Row.Commits + 1,
                    Live = step.Live,
                    Backlog = step.Backlog,
                    Alerts = step.Alerts,
                },
                LeaseEnd = now + step.Lease,
            });
        }

        var (series, devices) = Register(commit.Schemas);
        return this with
        {
            Partitions = partitions,
            Series = series,
            Devices = devices,
            Gateways = Gateways.SetItems(commit.Gateways.Select(r => KeyValuePair.Create(r.Gateway, r))),
            Outboxes = commit.Outboxes.Aggregate(Outboxes, Greatest),
            Epochs = Epochs.SetItems(commit.Epochs.Select(r => KeyValuePair.Create((r.Gateway, r.Epoch), r))),
            Lanes = Lanes
                .SetItems(commit.Lanes.Select(r => KeyValuePair.Create((r.Gateway, r.Epoch, r.Lane), r)))
                .RemoveRange(commit.RemovedLanes.SelectMany(e => LanesOf(e.Gateway, e.Epoch))),
            Runs = WithoutSettled(
                Runs.RemoveRange(commit.RemovedRuns).SetItems(commit.Runs.Select(r => KeyValuePair.Create(
                    new RunId(r.Gateway, r.Epoch, r.Lane, r.Run.Range.First), r))),
                commit.RemovedLanes),
            Schemas = Schemas.SetItems(commit.Schemas.Select(
                r => KeyValuePair.Create((r.List.Gateway, r.Message.Id), r.Message))),
            Readings = Grow(Readings, ReadingsOf(commit.Readings, series)),
            Frames = Grow(Frames, [.. commit.Frames]),
            Drops = Grow(Drops, [.. commit.Drops]),
            AlertStates = AlertStates
                .RemoveRange(commit.RemovedAlertStates)
                .SetItems(commit.AlertStates.Select(r => KeyValuePair.Create(r.Id, r))),
            Alerts = commit.Alerts.Aggregate(Alerts, (rows, row) => rows.SetItem(
                row.Id, rows.TryGetValue(row.Id, out var before) ? before.Then(row) : row)),
            AlertOutbox = AlertOutbox.AddRange(
                commit.AlertOutbox.Select(r => KeyValuePair.Create((r.Partition, r.Head.Number), r))),
            Relay = commit.AlertOutbox.Count == 0 ? Relay : Relay with
            {
                StoredAt = Relay.StoredAt.SetItems(
                    commit.AlertOutbox.Select(r => KeyValuePair.Create((r.Partition, r.Head.Number), now))),
            },
            Waiting = WaitingAfter(commit),
            Parts = PartsAfter(commit),
            Revisions = Grow(Revisions, [.. commit.Revisions]),
            DeadLetters = Kept(Grow(
                DeadLetters,
                [.. commit.DeadLetters.Select(d => d with { Bytes = d.Bytes.ToArray() })]), commit.DeadLetters),
        };
    }

    /// <summary>Everything of one gateway, in the order of keys.</summary>
    public GatewayRecord Record(GatewayId gateway) => new(
        Gateways.GetValueOrDefault(gateway),
        gateway,
        [.. Epochs.Values.Where(r => r.Gateway == gateway).OrderBy(r => r.Epoch)],
        [.. Lanes.Values.Where(r => r.Gateway == gateway).OrderBy(r => r.Epoch).ThenBy(r => r.Lane)],
        [.. Runs.Values.Where(r => r.Gateway == gateway)
            .OrderBy(r => r.Epoch).ThenBy(r => r.Lane).ThenBy(r => r.Run.Range.First)],
        [.. Outboxes.Values.Where(r => r.Gateway == gateway).OrderBy(r => r.Outbox)],
        [.. AlertStates.Values.Where(r => r.Id.Gateway == gateway)])
    {
        Waiting = [.. Waiting.Where(r => r.Id.Gateway == gateway).Select(r => (r.Id, r.Bytes.Length))],
    };

    /// <summary>The chain to a schema; null when a link of it is missing.</summary>
    public IReadOnlyList<SchemaMessage>? Chain(GatewayId gateway, SchemaId schema)
    {
        var chain = new List<SchemaMessage>();
        while (schema != default)
        {
            if (!Schemas.TryGetValue((gateway, schema), out var message))
            {
                return null;
            }

            chain.Insert(0, message);
            schema = message.Parent;
        }

        return chain;
    }

    /// <summary>Everything that a gateway registered.</summary>
    public GatewaySchemaRows SchemasOf(GatewayId gateway)
    {
        var messages = Schemas.Values.Where(s => Schemas.ContainsKey((gateway, s.Id))).ToList();
        return new GatewaySchemaRows(
            messages,
            messages.SelectMany(m => m.Series()).Select(s => SeriesIdentity.Of(gateway, s)).Distinct()
                .Where(Series.ContainsKey).ToDictionary(i => i, i => Series[i]));
    }

    /// <summary>For each range the first registered frame that overlaps it.</summary>
    public IReadOnlyList<FrameRegisterRow?> FirstFrames(IEnumerable<(GatewayId Gateway, FrameKey Range)> ranges)
    {
        var lanes = All(Frames).ToLookup(f => (f.Gateway, f.Key.Epoch, f.Key.Lane));
        return
        [
            .. ranges.Select(a => lanes[(a.Gateway, a.Range.Epoch, a.Range.Lane)]
                .Where(f => f.Key.Range.Overlaps(a.Range.Range)).MinBy(f => f.Key.First)),
        ];
    }

    /// <summary>All rows of a table that grows, in any order.</summary>
    public static IEnumerable<T> All<T>(ImmutableStack<ImmutableArray<T>> table) => table.SelectMany(rows => rows);

    private ImmutableDictionary<(int Series, long Start), ImmutableList<WindowPart>> PartsAfter(StoreCommit commit)
    {
        var parts = Parts;
        foreach (var removed in commit.RemovedParts)
        {
            parts = parts.RemoveRange(parts.Where(w => w.Value[0] is var part
                    && part.Series.Gateway == removed.Gateway && part.End > removed.Watermark
                    && removed.Span.Contains(new WindowSpan(part.Start, part.WidthSeconds)))
                .Select(w => w.Key).ToArray());
        }

        foreach (var part in commit.Parts)
        {
            var key = (part.Series.Number, part.Start);
            parts = parts.SetItem(key, (parts.GetValueOrDefault(key) ?? []).Add(part));
        }

        return parts;
    }

    private ImmutableList<WaitingRow> WaitingAfter(StoreCommit commit)
    {
        var rows = Waiting.RemoveAll(r => commit.RemovedWaiting.Contains(r.Id));
        return rows.AddRange(commit.Waiting.DistinctBy(r => r.Id).Where(r => !rows.Exists(o => o.Id == r.Id)));
    }

    private (ImmutableDictionary<SeriesIdentity, SeriesNumbers>, ImmutableDictionary<SeriesIdentity, int>) Register(
        List<SchemaLedgerRow> schemas)
    {
        var (series, devices) = (Series, Devices);
        foreach (var entry in schemas.SelectMany(s => s.Added.ToArray()).Where(e => e.Refusal is null))
        {
            var device = SeriesIdentity.OfDevice(entry.Gateway, entry.Definition.Device);
            devices = devices.ContainsKey(device) ? devices : devices.Add(device, devices.Count + 1);
            if (!series.ContainsKey(entry.Identity))
            {
                series = series.Add(entry.Identity, new SeriesNumbers(series.Count + 1, devices[device]));
            }

            (entry.Number, entry.DeviceNumber) = (series[entry.Identity].Series, series[entry.Identity].Device);
        }

        return (series, devices);
    }

    private static ImmutableStack<ImmutableArray<T>> Grow<T>(
        ImmutableStack<ImmutableArray<T>> table, ImmutableArray<T> rows) =>
        rows.IsEmpty ? table : table.Push(rows);

    // Of the letters that count no readings only the newest are kept.
    private static ImmutableStack<ImmutableArray<DeadLetterRow>> Kept(
        ImmutableStack<ImmutableArray<DeadLetterRow>> table, List<DeadLetterRow> added)
    {
        if (!added.Exists(d => d.Readings == 0))
        {
            return table;
        }

        var inAll = 0;
        var ofGateway = new Dictionary<GatewayId, int>();
        var kept = new List<DeadLetterRow>();
        foreach (var letter in table.SelectMany(rows => rows.Reverse()))
        {
            if (letter.Readings > 0
                || (++inAll <= DeadLetterRow.UnbookedMax
                    && (ofGateway[letter.Gateway] = ofGateway.GetValueOrDefault(letter.Gateway) + 1)
                        <= DeadLetterRow.UnbookedOfGatewayMax))
            {
                kept.Add(letter);
            }
        }

        kept.Reverse();
        return ImmutableStack.Create<ImmutableArray<DeadLetterRow>>([.. kept]);
    }

    // As in the real database: a reading is stored under the series' number.
    private static ImmutableArray<SimulatedReading> ReadingsOf(
        ReadingBuffer rows, ImmutableDictionary<SeriesIdentity, SeriesNumbers> registered)
    {
        var readings = ImmutableArray.CreateBuilder<SimulatedReading>(rows.Count);
        for (var i = 0; i < rows.Count; i++)
        {
            var series = rows.Series[i];
            if (!registered.TryGetValue(series.Identity, out var numbers) || numbers.Series != series.Number)
            {
                throw new InvalidOperationException(
                    $"a reading under number {series.Number}, series {series.Identity} is registered as {numbers}");
            }

            var isText = rows.IsText(i);
            readings.Add(new SimulatedReading(
                series.Identity, series.Type, rows.Times[i], rows.Flags[i],
                isText ? 0 : rows.Bits[i], isText ? rows.Text(rows.Bits[i]).ToArray() : default));
        }

        return readings.MoveToImmutable();
    }

    private static ImmutableDictionary<RunId, RunRow> WithoutSettled(
        ImmutableDictionary<RunId, RunRow> runs, List<(GatewayId Gateway, ulong Epoch)> complete) => complete.Count == 0
        ? runs
        : runs.RemoveRange(runs.Values
            .Where(r => r.Run.State == RunState.Settled && complete.Contains((r.Gateway, r.Epoch)))
            .Select(r => new RunId(r.Gateway, r.Epoch, r.Lane, r.Run.Range.First)));

    private static ImmutableDictionary<(GatewayId, ulong), OutboxRow> Greatest(
        ImmutableDictionary<(GatewayId, ulong), OutboxRow> rows, OutboxRow row) =>
        rows.TryGetValue((row.Gateway, row.Outbox), out var held) && held.Accepted >= row.Accepted
            ? rows
            : rows.SetItem((row.Gateway, row.Outbox), row);

    private IEnumerable<(GatewayId, ulong, Lane)> LanesOf(GatewayId gateway, ulong epoch) =>
        [(gateway, epoch, Lane.Critical), (gateway, epoch, Lane.Live), (gateway, epoch, Lane.Backlog)];
}
