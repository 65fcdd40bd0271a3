using Telemetry.Storage;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>What every store does: looks at the leases, and transactions whose client fell silent.</summary>
public abstract class StoreHolderContract : StoreLeaseContract
{
    private static readonly LiveWorker Me = new("b", 0, 1, 0);

    [Fact]
    public Task Look_shows_each_lease_and_what_became_of_it() => RunAsync(async under =>
    {
        await under.Store.TakeLeaseAsync(0, 1, "a", Lease, default);
        await under.PassTime(Lease + TimeSpan.FromSeconds(1));
        await under.Store.TakeLeaseAsync(1, 2, "a", Lease, default);
        await under.Store.TakeLeaseAsync(2, 3, "c", Lease, default);
        await under.Store.ReleaseLeaseAsync(2, 3, default);

        var look = await under.Store.LookAtLeasesAsync(Me, Lease, default);

        Assert.Equal(
            [
                new LeaseSeen(0, 1, "a", LeaseState.RunOut), new LeaseSeen(1, 2, "a", LeaseState.Held),
                new LeaseSeen(2, 3, "c", LeaseState.Released),
            ],
            look.Leases);
    });

    [Fact]
    public Task Look_shows_the_workers_that_are_alive_until_they_say_otherwise() => RunAsync(async under =>
    {
        var other = new LiveWorker("a", 1, 2, 3);
        await under.Store.LookAtLeasesAsync(other with { Held = 2 }, Lease, default);
        await under.Store.LookAtLeasesAsync(other, Lease, default);

        Assert.Equal([other, Me], (await under.Store.LookAtLeasesAsync(Me, Lease, default)).Workers);
        await under.Store.LookAtLeasesAsync(other, TimeSpan.Zero, default);
        Assert.Equal([Me], (await under.Store.LookAtLeasesAsync(Me, Lease, default)).Workers);
    });

    [Fact]
    public Task Nobody_waits_for_a_transaction_whose_client_is_silent() => RunAsync(async under =>
    {
        var (row, free) = (await Take(under.Store, 0), await Take(under.Store, 1));
        await using var holding = await under.BeginHolding(row);
        var both = new StoreCommit { Partitions = { Step(row), Step(free) } };

        Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(both, default));
        Assert.Equal([0], both.NotOwned);
        Assert.Null(await under.Store.TakeLeaseAsync(0, 5, "owner", Lease, default));
        await under.Store.ReleaseLeaseAsync(0, row.Token, default);
        await Commit(under.Store, free, _ => { });
    });

    [Fact]
    public Task Silent_holder_of_a_lease_that_ran_out_is_seen_and_can_be_ended() => RunAsync(async under =>
    {
        var row = await TakeForAMoment(under);
        await using var holding = await under.BeginHolding(row);
        var holder = await FindHolder(under);

        Assert.True(holder.WaitsForClient);
        Assert.True(await under.Store.EndHolderAsync(0, holder, default));

        PartitionRow? taken = null;
        for (var tries = 0; taken is null && tries < 500; tries++)
        {
            taken = await under.Store.TakeLeaseAsync(0, 9, "b", Lease, default);
            await under.Pause();
        }

        Assert.Equal(row with { Token = 9 }, taken);
        Assert.False(await under.Store.EndHolderAsync(0, holder, default));
    });

    [Fact]
    public Task Holder_is_not_ended_when_it_is_another_transaction_by_now() => RunAsync(async under =>
    {
        var row = await TakeForAMoment(under);
        await using var holding = await under.BeginHolding(row);
        var holder = await FindHolder(under);

        Assert.False(await under.Store.EndHolderAsync(
            0, holder with { Since = holder.Since.AddSeconds(-1) }, default));
        Assert.False(await under.Store.EndHolderAsync(0, holder with { Session = holder.Session + 1 }, default));
    });

    // A lease that is over at once: while a transaction holds the row, nobody can make it older.
    private static async Task<PartitionRow> TakeForAMoment(IStoreUnderTest under) =>
        Assert.IsType<PartitionRow>(
            await under.Store.TakeLeaseAsync(0, 1, "a", TimeSpan.FromMilliseconds(1), default));

    private static async Task<LeaseHolder> FindHolder(IStoreUnderTest under)
    {
        for (var tries = 0; ; tries++)
        {
            var look = await under.Store.LookAtLeasesAsync(Me, Lease, default);
            var seen = look.Leases.Single(lease => lease.Partition == 0);
            if (seen is { State: LeaseState.RunOut, Holder: { WaitsForClient: true } holder })
            {
                return holder;
            }

            Assert.True(tries < 500, $"nobody was seen to hold it: {seen}");
            await under.Pause();
        }
    }
}
