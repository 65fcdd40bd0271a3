using Telemetry.Storage.Alerts;
using Xunit;
using static Telemetry.TestKit.Contracts.AlertSamples;

namespace Telemetry.TestKit.Contracts;

/// <summary>A fresh, empty outbox, and direct access to its database for the contract.</summary>
public interface IAlertOutboxUnderTest
{
    IAlertOutbox Outbox { get; }

    /// <summary>Adds rows and raises the partitions' heads, as a processor's transaction does.</summary>
    Task Append(params AlertOutboxRow[] rows);

    /// <summary>Makes every held lease, and every row, older by the given time.</summary>
    Task PassTime(TimeSpan time);

    Task<IReadOnlyList<string>> Orphans();

    /// <summary>Gives a device a site.</summary>
    Task Describe(string gateway, string device, string site);
}

/// <summary>The contract of the relay's side of every database: PostgreSQL, and the simulated one.</summary>
public abstract class AlertOutboxContract
{
    private const string Relay = "relay";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>Makes a fresh outbox, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<IAlertOutboxUnderTest, Task> test);

    [Fact]
    public Task Sites_are_those_of_the_devices_that_have_one() => RunAsync(async under =>
    {
        await under.Describe("gw-1", "pump", "north");
        await under.Describe("gw-2", "pump", "south");

        var sites = await under.Outbox.SitesAsync([("gw-1", "pump"), ("gw-1", "fan")], default);

        Assert.Equal([KeyValuePair.Create(("gw-1", "pump"), "north")], sites);
    });

    [Fact]
    public Task Lease_is_one_owners_until_it_ends_or_is_given_back() => RunAsync(async under =>
    {
        var outbox = under.Outbox;
        Assert.True(await outbox.TakeLeaseAsync(Relay, 1, "a", Lease, default));
        Assert.False(await outbox.TakeLeaseAsync(Relay, 2, "b", Lease, default));
        Assert.True(await outbox.TakeLeaseAsync("another", 2, "b", Lease, default));
        await under.PassTime(Lease * 0.75);
        Assert.True(await outbox.RenewLeaseAsync(Relay, 1, Lease, default));
        await under.PassTime(Lease * 0.75);
        Assert.False(await outbox.TakeLeaseAsync(Relay, 2, "b", Lease, default));
        await under.PassTime(Lease);

        Assert.True(await outbox.TakeLeaseAsync(Relay, 2, "b", Lease, default));
        Assert.False(await outbox.RenewLeaseAsync(Relay, 1, Lease, default));
        await outbox.ReleaseLeaseAsync(Relay, 1, default);
        Assert.False(await outbox.TakeLeaseAsync(Relay, 3, "a", Lease, default));
        await outbox.ReleaseLeaseAsync(Relay, 2, default);
        Assert.True(await outbox.TakeLeaseAsync(Relay, 3, "a", Lease, default));
    });

    [Fact]
    public Task Owner_takes_its_own_lease_again_and_its_old_token_is_worth_nothing() => RunAsync(async under =>
    {
        Assert.True(await under.Outbox.TakeLeaseAsync(Relay, 1, "a", Lease, default));
        Assert.True(await under.Outbox.TakeLeaseAsync(Relay, 2, "a", Lease, default));

        Assert.False(await under.Outbox.RenewLeaseAsync(Relay, 1, Lease, default));
        Assert.True(await under.Outbox.RenewLeaseAsync(Relay, 2, Lease, default));
    });

    [Fact]
    public Task Extents_show_heads_first_rows_and_what_was_noted() => RunAsync(async under =>
    {
        var rows = Rows(1, 5);
        await under.Append([.. rows, .. Rows(0, 2)]);
        await under.Outbox.NoteAsync(new Dictionary<int, AlertHead> { [1] = rows[2].Head }, default);

        var extents = await under.Outbox.ExtentsAsync(default);

        Assert.Equal(new OutboxExtent(1, rows[^1].Head, 3), extents[1]);
        Assert.Equal((1, 2, 0), (extents[0].First, extents[0].Head.Number, extents[0].Noted));
    });

    [Fact]
    public Task Row_that_the_database_lacks_is_not_noted_as_published() => RunAsync(async under =>
    {
        await under.Append([.. Rows(1, 5)]);

        await under.Outbox.NoteAsync(
            new Dictionary<int, AlertHead> { [1] = new(3, 77), [2] = new(1, 77) }, default);

        Assert.Equal(0, (await under.Outbox.ExtentsAsync(default))[1].Noted);
    });

    [Fact]
    public Task Rows_come_in_order_behind_a_number_within_both_limits() => RunAsync(async under =>
    {
        var rows = Rows(1, 5);
        await under.Append([.. rows, .. Rows(0, 2)]);

        Same(rows[2..], await under.Outbox.ReadAsync(1, 2, 100, int.MaxValue, default));
        Same(rows[2..4], await under.Outbox.ReadAsync(1, 2, 2, int.MaxValue, default));
        Same(rows[2..3], await under.Outbox.ReadAsync(1, 2, 100, 1, default));
        Same(rows[2..4], await under.Outbox.ReadAsync(1, 2, 100, rows[2].Json.Length + 1, default));
        Assert.Empty(await under.Outbox.ReadAsync(1, 5, 100, int.MaxValue, default));
        Assert.Empty(await under.Outbox.ReadAsync(7, 0, 100, int.MaxValue, default));
    });

    [Fact]
    public Task Stamps_are_given_of_rows_that_are_there() => RunAsync(async under =>
    {
        var rows = Rows(1, 2);
        await under.Append([.. rows]);

        var stamps = await under.Outbox.StampsAsync([(1, 2), (1, 3), (2, 1)], default);

        Assert.Equal(rows[1].Head, Assert.Single(stamps).Value.Head);
        Assert.Equal((1, 2), stamps.Keys.Single());
        Assert.Empty(await under.Outbox.StampsAsync([], default));
    });

    [Fact]
    public Task Orphan_is_a_record_whose_id_has_no_row_for_as_long_as_it_has_none() => RunAsync(async under =>
    {
        var rows = Rows(1, 4);
        await under.Append([.. rows[..2]]);

        Assert.Equal(2, await under.Outbox.ListOrphansAsync([.. rows.Select(Published)], default));
        Assert.Equal([rows[2].Id, rows[3].Id], await under.Orphans());
        Assert.Equal(2, await under.Outbox.ListOrphansAsync([.. rows.Select(Published)], default));
        Assert.Equal(0, await under.Outbox.ListOrphansAsync([], default));
        await under.Append(rows[2]);
        await under.Outbox.NoteAsync(new Dictionary<int, AlertHead> { [1] = rows[2].Head }, default);

        Assert.Equal([rows[3].Id], await under.Orphans());
        await under.Append(rows[3]);
        Assert.Equal(0, await under.Outbox.ListOrphansAsync([Published(rows[3])], default));
        Assert.Empty(await under.Orphans());
    });

    private static PublishedAlert Published(AlertOutboxRow row) => new(row.Id, row.Partition, row.Head, 0, row.Json);

    private static void Same(IReadOnlyList<AlertOutboxRow> expected, IReadOnlyList<AlertOutboxRow> actual)
    {
        Assert.Equal(
            expected.Select(r => (r.Partition, r.Head, r.Id)), actual.Select(r => (r.Partition, r.Head, r.Id)));
        Assert.Equal(
            expected.Select(r => Convert.ToHexString(r.Json.Span)),
            actual.Select(r => Convert.ToHexString(r.Json.Span)));
    }
}
