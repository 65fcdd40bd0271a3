using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;

namespace Telemetry.TestKit.Contracts;

/// <summary>Words that the store's contract is written in.</summary>
public static class StoreSteps
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    public static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    public static readonly GatewayId Other = GatewayId.Parse("gw-2");

    public static async Task<PartitionRow> Take(IStore store, int partition = 0, ulong token = 0xFEDC_BA98_7654_3210) =>
        await store.TakeLeaseAsync(partition, token, "owner", Lease, default)
            ?? throw new InvalidOperationException("the lease is another's");

    /// <summary>The next step of a partition: one message further in both streams.</summary>
    public static PartitionStep Step(PartitionRow row) => new(
        row,
        new StreamPosition(11, row.Live.Sequence + 1, $"live-{row.Live.Sequence + 1}", 1000 + row.Live.Sequence),
        new StreamPosition(
            22, row.Backlog.Sequence + 1, $"backlog-{row.Backlog.Sequence + 1}", 2000 + row.Backlog.Sequence),
        row.Alerts,
        Lease);

    /// <summary>The row as the owner remembers it after a step.</summary>
    public static PartitionRow After(PartitionStep step) =>
        step.Expected with
        {
            Commits = step.Expected.Commits + 1,
            Live = step.Live,
            Backlog = step.Backlog,
            Alerts = step.Alerts,
        };

    /// <summary>Commits rows for one partition and gives the row to go on from.</summary>
    public static async Task<PartitionRow> Commit(IStore store, PartitionRow row, Action<StoreCommit> fill)
    {
        var commit = new StoreCommit();
        commit.Partitions.Add(Step(row));
        fill(commit);
        return await store.CommitAsync(commit, default) == CommitOutcome.Committed
            ? After(commit.Partitions[0])
            : throw new InvalidOperationException("not the owner");
    }

    public static async Task<GatewayRecord> Load(IStore store, GatewayId? gateway = null) =>
        (await store.LoadGatewaysAsync([gateway ?? Gateway], default))[0];

    public static FrameRegisterRow Frame(long first, int count, Lane lane = Lane.Live, ulong epoch = 7) => new(
        Gateway, new FrameKey(epoch, lane, first, count), count, 0, 0, first * 10, first * 20,
        ulong.MaxValue - (ulong)first, 0x8000_0000_0000_0000 + (ulong)first);

    public static SeriesDefinition Series(string device, string metric) => new()
    {
        Device = device,
        Metric = metric,
        Labels = [new Label("phase", "L1"), new Label("room", "Küche")],
        Unit = "Cel",
        Decimals = 2,
    };

    /// <summary>
    /// A series that the commit registers, of a metric named after its type and decimals.
    /// </summary>
    public static SeriesEntry Register(
        this StoreCommit commit, MetricType type, byte decimals = SeriesDefinition.DecimalsUnknown,
        string device = "pump") => Register(commit, Numbered(type, decimals, device).Definition);

    /// <summary>The same with a definition of one's own.</summary>
    public static SeriesEntry Register(this StoreCommit commit, SeriesDefinition series)
    {
        var schema = Extend(SeriesList.Empty(Gateway), series);
        commit.Schemas.Add(schema);
        return schema.List.Entries[0];
    }

    /// <summary>A series with a number that no database gave, for what never asks which series it is.</summary>
    public static SeriesEntry Numbered(
        MetricType type, byte decimals = SeriesDefinition.DecimalsUnknown, string device = "pump") =>
        new(Gateway, new SeriesDefinition
        {
            Device = device,
            Metric = $"{type} {decimals}",
            Type = type,
            Decimals = decimals,
        })
        {
            Number = 2,
            DeviceNumber = 1,
        };

    /// <summary>A schema message that adds to a list, and the list after it.</summary>
    public static SchemaLedgerRow Extend(SeriesList list, params SeriesDefinition[] additions)
    {
        var message = SchemaMessage.Of(list.Id, additions);
        return new SchemaLedgerRow(message, list.Extend(message));
    }
}
