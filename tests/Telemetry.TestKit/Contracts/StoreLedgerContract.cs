using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>What every store does: the ledger, the frame register, schemas.</summary>
public abstract class StoreLedgerContract : StoreHolderContract
{
    [Fact]
    public Task Gateway_never_seen_gives_an_empty_record() => RunAsync(async under =>
    {
        var records = await under.Store.LoadGatewaysAsync([Other, Gateway], default);

        Assert.Equal([Other, Gateway], records.Select(r => r.Id));
        Assert.All(records, r => Assert.Null(r.Gateway));
        Assert.All(records, r => Assert.True(r.Epochs.Count + r.Lanes.Count + r.Runs.Count + r.Outboxes.Count == 0));
    });

    [Fact]
    public Task Totals_watermark_and_fork_are_the_last_ones_written() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        row = await Commit(under.Store, row, c => c.Gateways.Add(GatewayRow.New(Gateway, 0) with { Fork = "lineage" }));
        Assert.Equal(GatewayRow.New(Gateway, 0) with { Fork = "lineage" }, (await Load(under.Store)).Gateway);
        var last = new GatewayRow(Gateway, 0, 10, 2, 3, 4, -86_400_000_001, "");

        await Commit(under.Store, row, c => c.Gateways.AddRange([last with { Stored = 9 }, last]));

        Assert.Equal(last, (await Load(under.Store)).Gateway);
    });

    [Fact]
    public Task Waiting_messages_come_back_in_their_order_until_they_are_removed() => RunAsync(async under =>
    {
        var needs = new SchemaId(ulong.MaxValue, 1);
        WaitingRow Waits(ulong hash, byte first) =>
            new(new WaitingId(Gateway, needs, hash), long.MaxValue - first, (byte[])[first, 0, 255]);
        var row = await Take(under.Store);
        row = await Commit(under.Store, row, c => c.Waiting.AddRange([Waits(ulong.MaxValue, 1), Waits(3, 2)]));
        row = await Commit(under.Store, row, c =>
        {
            c.Waiting.AddRange([Waits(3, 9), Waits(2, 3)]);
            c.Waiting.Add(new WaitingRow(new WaitingId(Gateway, default, 2), 5, new byte[7]));
        });

        var loaded = await under.Store.LoadWaitingAsync(Gateway, needs, default);

        Assert.Equal([ulong.MaxValue, 3, 2], loaded.Select(r => r.Id.Hash));
        Assert.Equal([1, 2, 3], loaded.Select(r => (int)r.Bytes.Span[0]));
        Assert.Equal([1, 2, 3], loaded.Select(r => long.MaxValue - r.StoredAtNanos));
        Assert.Equal([3, 3, 3, 7], (await Load(under.Store)).Waiting.Select(w => w.Bytes));
        Assert.Empty(await under.Store.LoadWaitingAsync(Other, needs, default));
        Assert.Empty((await Load(under.Store, Other)).Waiting);

        await Commit(under.Store, row, c => c.RemovedWaiting.AddRange([Waits(3, 2).Id, Waits(2, 3).Id]));

        Assert.Equal(
            [Waits(ulong.MaxValue, 1).Id, new WaitingId(Gateway, default, 2)],
            (await Load(under.Store)).Waiting.Select(w => w.Id));
    });

    [Fact]
    public Task Outbox_keeps_the_greatest_total() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var outbox = new OutboxRow(Gateway, ulong.MaxValue, 50);
        row = await Commit(under.Store, row, c => c.Outboxes.AddRange([outbox, outbox with { Accepted = 40 }]));
        row = await Commit(under.Store, row, c => c.Outboxes.Add(outbox with { Accepted = 45 }));
        Assert.Equal([outbox], (await Load(under.Store)).Outboxes);

        await Commit(under.Store, row, c => c.Outboxes.AddRange([outbox with { Accepted = 60 }, new(Gateway, 1, 5)]));

        Assert.Equal(
            [new(Gateway, 1, 5), outbox with { Accepted = 60 }],
            (await Load(under.Store)).Outboxes.OrderBy(o => o.Outbox));
    });

    [Fact]
    public Task Epochs_lanes_and_runs_are_replaced_by_key() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var epoch = new EpochLedgerRow(Gateway, ulong.MaxValue, null, false, new LaneLasts(1, 2, 3));
        var lane = new LaneLedgerRow(Gateway, epoch.Epoch, Lane.Backlog, 5, ulong.MaxValue);
        var run = new RunRow(Gateway, epoch.Epoch, Lane.Backlog, new(new(10, 20), RunState.Settled, 1ul << 63));
        row = await Commit(under.Store, row, c => Add(c, epoch, lane, run));
        Same(await Load(under.Store), [epoch], [lane], [run]);

        epoch = epoch with { Predecessor = new(8, new(4, 5, 6)), Lasts = new(7, 8, 9), Outbox = ulong.MaxValue };
        lane = lane with { Prefix = 6, PrefixShare = 0 };
        run = run with { Run = new(new(10, 30), RunState.Lost, 0) };
        await Commit(under.Store, row, c => Add(c, epoch, lane, run));

        Same(await Load(under.Store), [epoch], [lane], [run]);
        var other = await Load(under.Store, Other);
        Assert.Empty(other.Epochs);
    });

    [Fact]
    public Task Removed_run_makes_room_for_one_of_the_same_commit() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var (a, b) = (Run(10, RunState.Settled), Run(20, RunState.Settled));
        row = await Commit(under.Store, row, c => c.Runs.AddRange([a, b]));

        var grown = a with { Run = a.Run with { Range = new(10, 25) } };
        await Commit(under.Store, row, c =>
        {
            c.Runs.Add(grown);
            c.RemovedRuns.AddRange([new(Gateway, 7, Lane.Live, 10), new(Gateway, 7, Lane.Live, 20)]);
        });

        Assert.Equal([grown], (await Load(under.Store)).Runs);
    });

    [Fact]
    public Task Complete_epoch_keeps_its_lost_runs_and_no_lanes() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var epoch = new EpochLedgerRow(Gateway, 7, new(0, default), false, new(0, 30, 0));
        var lane = new LaneLedgerRow(Gateway, 7, Lane.Live, 9, 1);
        var next = new LaneLedgerRow(Gateway, 8, Lane.Live, 1, 1);
        var lost = Run(10, RunState.Lost);
        row = await Commit(under.Store, row, c =>
        {
            Add(c, epoch, lane, lost);
            c.Lanes.Add(next);
            c.Runs.Add(Run(20, RunState.Settled));
        });

        await Commit(under.Store, row, c =>
        {
            c.Epochs.Add(epoch with { Complete = true });
            c.RemovedLanes.Add((Gateway, 7));
            c.Lanes.Add(lane with { Prefix = 30 });
        });

        Same(await Load(under.Store), [epoch with { Complete = true }], [next], [lost]);
    });

    [Fact]
    public Task Frames_are_found_by_overlap_in_their_own_lane_and_epoch() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var (a, b, c) = (Frame(1, 10), Frame(11, FrameHeader.CountMax), Frame(11 + FrameHeader.CountMax, 5));
        await Commit(under.Store, row, commit => commit.Frames.AddRange(
            [c, b, a, Frame(1, 10, Lane.Backlog), Frame(1, 10, epoch: 8), Frame(1, 10) with { Gateway = Other }]));

        Assert.Equal([a], await Find(under, 10, 10));
        Assert.Equal([b], await Find(under, 11, 11));
        Assert.Equal([b], await Find(under, b.Key.Last, b.Key.Last));
        Assert.Equal([a, b, c], await Find(under, 1, long.MaxValue));
        Assert.Equal([a, b], await Find(under, 10, long.MaxValue, framesMax: 2));
        Assert.Equal([b], await Find(under, 12, long.MaxValue, framesMax: 1));
        Assert.Equal(
            [b, null, a, null, b],
            await under.Store.FindFirstFramesAsync(
                [
                    (Gateway, b.Key), (Gateway, new(7, Lane.Critical, 1, 99)), (Gateway, new(7, Lane.Live, 2, 99)),
                    (Other, new(7, Lane.Live, 11, 9)), (Gateway, new(7, Lane.Live, 12, FrameHeader.CountMax)),
                ],
                default));
        Assert.Empty(await Find(under, c.Key.Last + 1, c.Key.Last + 9));
        Assert.Empty(await under.Store.FindFramesAsync(Gateway, 7, Lane.Critical, new(1, 99), 9, default));
    });

    [Fact]
    public Task All_schemas_of_a_gateway_come_back_whatever_extends_what() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var first = Extend(SeriesList.Empty(Gateway), Series("pump", "temperature"), Series("pump", "flow"));
        var second = Extend(first.List, Series("fan", "speed"));
        var branch = Extend(first.List, Series("fan", "current"));
        row = await Commit(under.Store, row, c => c.Schemas.AddRange([first, second]));
        await Commit(under.Store, row, c => c.Schemas.AddRange([branch, second]));

        var stored = (await under.Store.LoadSchemasAsync(Gateway, default)).Messages.ToDictionary(m => m.Id);
        Assert.Equal(3, stored.Count);
        Assert.All([first.Message, second.Message, branch.Message], expected =>
        {
            Assert.Equal(expected.Parent, stored[expected.Id].Parent);
            Assert.Equal(expected.Additions.ToArray(), stored[expected.Id].Additions.ToArray());
        });
        Assert.Empty((await under.Store.LoadSchemasAsync(Other, default)).Messages);
    });

    [Fact]
    public Task Series_get_numbers_that_no_other_has_and_keep_them() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var first = Extend(SeriesList.Empty(Gateway), Series("pump", "temperature"), Series("pump", "flow"));
        var again = Extend(SeriesList.Empty(Gateway), Series("pump", "flow"), Series("fan", "flow"));
        var other = Extend(SeriesList.Empty(Other), Series("pump", "flow"));
        row = await Commit(under.Store, row, c => c.Schemas.Add(first));
        await Commit(under.Store, row, c => c.Schemas.AddRange([again, other]));

        SeriesEntry[] all = [.. first.List.Entries, again.List.Entries[1], other.List.Entries[0]];
        Assert.All(all, s => Assert.True(s.Number > 0 && s.DeviceNumber > 0));
        Assert.Equal(4, all.Select(s => s.Number).Distinct().Count());
        Assert.Equal(first.List.Entries[1].Number, again.List.Entries[0].Number);
        Assert.Equal(first.List.Entries[0].DeviceNumber, first.List.Entries[1].DeviceNumber);
        Assert.Equal(3, all.Select(s => s.DeviceNumber).Distinct().Count());
        var stored = (await under.Store.LoadSchemasAsync(Gateway, default)).Series;
        Assert.Equal(
            all.Where(s => s.Gateway == Gateway)
                .ToDictionary(s => s.Identity, s => new SeriesNumbers(s.Number, s.DeviceNumber)),
            stored);
    });

    [Fact]
    public Task Series_that_the_database_refuses_is_named_and_the_others_are_registered() => RunAsync(async under =>
    {
        await under.RefuseDevice("bad");
        var row = await Take(under.Store);
        var schema = Extend(
            SeriesList.Empty(Gateway), Series("pump", "flow"), Series("bad", "flow"), Series("fan", "flow"));
        var e = await Assert.ThrowsAsync<StoreException>(() => Commit(under.Store, row, c => c.Schemas.Add(schema)));
        Assert.True(e.IsDataFault);

        var refused = Assert.Single(await under.Store.FindRefusedSeriesAsync(schema.List.Entries.ToArray(), default));

        Assert.Equal(1, refused.Index);
        Assert.Empty((await under.Store.LoadSchemasAsync(Gateway, default)).Series);
        schema.List.Entries[1].Refusal = refused.Error;
        await Commit(under.Store, row, c => c.Schemas.Add(schema));
        Assert.Equal(2, (await under.Store.LoadSchemasAsync(Gateway, default)).Series.Count);
        Assert.Equal(0, schema.List.Entries[1].Number);
    });

    private static void Add(StoreCommit commit, EpochLedgerRow epoch, LaneLedgerRow lane, RunRow run)
    {
        commit.Epochs.Add(epoch);
        commit.Lanes.Add(lane);
        commit.Runs.Add(run);
    }
}
