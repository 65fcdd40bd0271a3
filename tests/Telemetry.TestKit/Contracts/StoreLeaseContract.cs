using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>The contract of every store: leases, and the compare-and-set of the partitions' rows.</summary>
public abstract class StoreLeaseContract : StoreInstallationContract
{
    [Fact]
    public Task First_lease_gives_a_row_at_the_start_of_both_streams() => RunAsync(async under =>
    {
        var row = await under.Store.TakeLeaseAsync(3, ulong.MaxValue, "a", Lease, default);

        Assert.Equal(
            new PartitionRow(3, ulong.MaxValue, 0, StreamPosition.None, StreamPosition.None, AlertHead.None), row);
    });

    [Fact]
    public Task Lease_that_another_holds_is_not_given() => RunAsync(async under =>
    {
        var another = await under.OpenAnother();
        await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);

        Assert.Null(await another.TakeLeaseAsync(0, 2, "b", Lease, default));
        Assert.NotNull(await another.TakeLeaseAsync(1, 2, "b", Lease, default));
    });

    [Fact]
    public Task Lease_goes_to_another_once_it_has_expired_and_the_old_owner_can_commit_no_more() =>
        RunAsync(async under =>
        {
            var another = await under.OpenAnother();
            var old = await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);
            old = await Commit(under.Store, old!, _ => { });
            await under.PassTime(Lease + TimeSpan.FromSeconds(1));

            var row = await another.TakeLeaseAsync(0, 2, "b", Lease, default);

            Assert.Equal(old with { Token = 2 }, row);
            var commit = new StoreCommit { Partitions = { Step(old) } };
            Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(commit, default));
            await Commit(another, row!, _ => { });
        });

    [Fact]
    public Task Commits_of_two_partitions_at_once_over_one_store_are_both_whole() => RunAsync(async under =>
    {
        var rows = new[] { await Take(under.Store, 0), await Take(under.Store, 1) };
        var series = new SeriesEntry[2];
        rows = await Task.WhenAll(rows.Select(row => Commit(
            under.Store, row, c => series[row.Partition] = c.Register(MetricType.Int, device: $"{row.Partition}"))));
        for (var n = 0; n < 5; n++)
        {
            rows = await Task.WhenAll(rows.Select(row => Commit(
                under.Store, row, c => c.Readings.Add(series[row.Partition], n, ReadingFlags.None, (ulong)n))));
        }

        Assert.All(rows, row => Assert.Equal(6, row.Commits));
        Assert.NotEqual(series[0].Number, series[1].Number);
        var stored = await under.ReadAllReadings();
        Assert.All(series, of => Assert.Equal(
            [0, 1, 2, 3, 4], stored.Where(r => r.Series == of.Identity).Select(r => r.Time).Order()));
    });

    [Fact]
    public Task Commit_renews_the_lease() => RunAsync(async under =>
    {
        var row = await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);
        await under.PassTime(Lease * 0.75);
        await Commit(under.Store, row!, _ => { });
        await under.PassTime(Lease * 0.75);

        Assert.Null(await under.Store.TakeLeaseAsync(0, 2, "b", Lease, default));
    });

    [Fact]
    public Task Owner_takes_its_own_lease_again_and_its_old_token_is_worth_nothing() => RunAsync(async under =>
    {
        var old = await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);

        var row = await under.Store.TakeLeaseAsync(0, 2, "a", Lease, default);

        Assert.Equal(2ul, row!.Token);
        var commit = new StoreCommit { Partitions = { Step(old!) } };
        Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(commit, default));
    });

    [Fact]
    public Task Released_lease_is_free_at_once_and_only_its_token_releases_it() => RunAsync(async under =>
    {
        await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);

        await under.Store.ReleaseLeaseAsync(0, 99, default);
        Assert.Null(await under.Store.TakeLeaseAsync(0, 2, "b", Lease, default));
        await under.Store.ReleaseLeaseAsync(0, 1, default);
        Assert.NotNull(await under.Store.TakeLeaseAsync(0, 2, "b", Lease, default));
    });

    [Fact]
    public Task Row_is_what_the_last_commit_made_of_it() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        row = await Commit(under.Store, row, _ => { });
        row = await Commit(under.Store, row, _ => { });

        Assert.Equal(2, row.Commits);
        Assert.Equal(row, await Take(under.Store));
    });

    [Theory]
    [InlineData("token")]
    [InlineData("commits")]
    [InlineData("live created")]
    [InlineData("live sequence")]
    [InlineData("live message")]
    [InlineData("live stored")]
    [InlineData("backlog created")]
    [InlineData("backlog sequence")]
    [InlineData("backlog message")]
    [InlineData("backlog stored")]
    public Task Row_that_differs_in_one_field_rolls_everything_back(string field) => RunAsync(async under =>
    {
        var first = await Commit(under.Store, await Take(under.Store, 0), _ => { });
        var second = await Commit(under.Store, await Take(under.Store, 1), _ => { });
        var commit = new StoreCommit { Partitions = { Step(first), Step(Change(second, field)) } };
        Fill(commit);

        Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(commit, default));

        Assert.Equal([1], commit.NotOwned);
        await NothingIsThere(under);
        Assert.Equal(first, await Take(under.Store, 0));
        Assert.Equal(second, await Take(under.Store, 1));
    });

    [Fact]
    public Task Partition_never_leased_is_nobodys() => RunAsync(async under =>
    {
        var nobodys = new PartitionRow(5, 1, 0, StreamPosition.None, StreamPosition.None, AlertHead.None);
        var commit = new StoreCommit { Partitions = { Step(nobodys) } };
        Fill(commit);

        Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(commit, default));
        await NothingIsThere(under);
    });

    [Fact]
    public Task Several_partitions_step_in_one_commit_in_whatever_order_they_stand() => RunAsync(async under =>
    {
        var rows = new[] { await Take(under.Store, 2), await Take(under.Store, 0), await Take(under.Store, 1) };
        var commit = new StoreCommit();
        commit.Partitions.AddRange(rows.Select(Step));

        Assert.Equal(CommitOutcome.Committed, await under.Store.CommitAsync(commit, default));

        foreach (var step in commit.Partitions)
        {
            Assert.Equal(After(step), await Take(under.Store, step.Expected.Partition));
        }
    });

    private protected static void Fill(StoreCommit commit)
    {
        var schema = Extend(SeriesList.Empty(Gateway), Series("pump", "temperature"));
        commit.Schemas.Add(schema);
        commit.Gateways.Add(GatewayRow.New(Gateway, 0));
        commit.Outboxes.Add(new OutboxRow(Gateway, 1, 1));
        commit.Epochs.Add(new EpochLedgerRow(Gateway, 7, null, false, default));
        commit.Lanes.Add(new LaneLedgerRow(Gateway, 7, Lane.Live, 1, 1));
        commit.Runs.Add(Run(10, RunState.Settled));
        commit.Frames.Add(Frame(1, 1));
        commit.Drops.Add(
            new DropLedgerRow(Gateway, new(7, Lane.Live, 1, 1), new(1, 1), new(0, 1, 0, 0, DropReason.Test)));
        commit.DeadLetters.Add(
            new DeadLetterRow(Gateway, new(7, Lane.Live, 1, 1), DeadLetterReason.Fork, "", 0, default, 0, default));
        commit.AlertStates.Add(
            new AlertStateRow(new AlertStateId(Gateway, "hot", new(2, 2)), 1, RuleState.QuietAt(3)));
        commit.AlertOutbox.Add(new AlertOutboxRow(0, new AlertHead(1, 1), "id", (byte[])[1]));
        commit.Readings.Add(commit.Register(MetricType.Int), 3, ReadingFlags.None, 4);
    }

    private protected static async Task NothingIsThere(IStoreUnderTest under)
    {
        Same(await Load(under.Store), [], [], []);
        Assert.Null((await Load(under.Store)).Gateway);
        Assert.Empty((await Load(under.Store)).Outboxes);
        Assert.Empty(await Find(under, 1, long.MaxValue));
        Assert.Empty((await under.Store.LoadSchemasAsync(Gateway, default)).Messages);
        Assert.Empty((await under.Store.LoadSchemasAsync(Gateway, default)).Series);
        Assert.Empty(await under.ReadAllReadings());
        Assert.Empty(await under.ReadAllDeadLetters());
        Assert.Empty(await under.ReadAllDrops());
        Assert.Empty((await Load(under.Store)).AlertStates);
        Assert.Empty(await under.ReadAlertOutbox());
    }

    private protected static Task<IReadOnlyList<FrameRegisterRow>> Find(
        IStoreUnderTest under, long first, long last, int framesMax = 99) =>
        under.Store.FindFramesAsync(Gateway, 7, Lane.Live, new SequenceRange(first, last), framesMax, default);

    private protected static RunRow Run(long first, RunState state) =>
        new(Gateway, 7, Lane.Live, new SettledRun(new SequenceRange(first, first + 5), state, 3));

    private protected static void Same(
        GatewayRecord record, EpochLedgerRow[] epochs, LaneLedgerRow[] lanes, RunRow[] runs)
    {
        Assert.Equal(epochs, record.Epochs);
        Assert.Equal(lanes, record.Lanes);
        Assert.Equal(runs, record.Runs);
    }

    private static PartitionRow Change(PartitionRow row, string field) => field switch
    {
        "token" => row with { Token = row.Token ^ 1 },
        "commits" => row with { Commits = row.Commits - 1 },
        "live created" => row with { Live = row.Live with { StreamCreatedNanos = 12 } },
        "live sequence" => row with { Live = row.Live with { Sequence = 0 } },
        "live message" => row with { Live = row.Live with { MessageId = "x" } },
        "live stored" => row with { Live = row.Live with { StoredAtNanos = 1 } },
        "backlog created" => row with { Backlog = row.Backlog with { StreamCreatedNanos = 12 } },
        "backlog sequence" => row with { Backlog = row.Backlog with { Sequence = 0 } },
        "backlog message" => row with { Backlog = row.Backlog with { MessageId = "" } },
        _ => row with { Backlog = row.Backlog with { StoredAtNanos = 1 } },
    };
}
