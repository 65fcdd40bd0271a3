using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.TestKit.Contracts;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>The transaction of a repartition, from 2 partitions to 3.</summary>
public sealed class PartitionChangeTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string Unpublished = "1 alerts are not published to Kafka by a relay";
    private static readonly InstallationFacts Two = SampleInstallation.Of(2);
    private static readonly InstallationFacts Three = SampleInstallation.Of(3) with { Generation = 2 };

    [Fact]
    public async Task Change_moves_gateways_begins_streams_anew_ends_owners_and_keeps_the_alerts_chains()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (first, second) = await Fill(database);

        Assert.Null(await Change(database, Two, Three));

        Assert.Equal(Three, await database.Store.InstallAsync(SampleInstallation.Another(9), default));
        Assert.Equal(Gateway.Partition(3), (await Load(database.Store)).Gateway!.Partition);
        Assert.Equal(Other.Partition(3), (await Load(database.Store, Other)).Gateway!.Partition);
        var late = new StoreCommit { Partitions = { Step(first), Step(second) } };
        Assert.Equal(CommitOutcome.NotOwner, await database.Store.CommitAsync(late, default));
        var taken = await database.Store.TakeLeaseAsync(1, 77, "another", Lease, default);
        Assert.Equal(
            new PartitionRow(
                1, 77, second.Commits + 1, StreamPosition.None, StreamPosition.None, second.Alerts), taken);
        Assert.Equal(1, taken!.Alerts.Number);
        Assert.NotNull(await database.Store.TakeLeaseAsync(2, 78, "another", Lease, default));
        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.alert_outbox"));
    }

    [Fact]
    public async Task Change_waits_for_every_stream_and_for_the_relay_where_there_is_one()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Fill(database);

        Assert.Equal("1 of 4 streams are not read to their ends", await Change(database, Two, Three, more: 1));
        Assert.Equal(Unpublished, await Change(database, Two, Three, relays: true));
        await database.Execute("INSERT INTO telemetry.relay_position VALUES (1, 0, now())");
        Assert.Equal(Unpublished, await Change(database, Two, Three));
        Assert.Equal(Two, await database.Store.InstallAsync(Three, default));
        Assert.Equal(Gateway.Partition(2), (await Load(database.Store)).Gateway!.Partition);
        await database.Execute("UPDATE telemetry.relay_position SET number = 1");

        Assert.Null(await Change(database, Two, Three, relays: true));
    }

    [Fact]
    public async Task Database_with_other_facts_than_those_it_is_changed_from_is_left_as_it_is()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Fill(database);

        await Assert.ThrowsAsync<InstallationException>(
            () => Change(database, SampleInstallation.Another(2), Three));
        Assert.Null(await Change(database, Two, Three));
        await Assert.ThrowsAsync<InstallationException>(() => Change(database, Two, Three));
    }

    [Fact]
    public async Task Database_that_was_filled_before_there_was_the_row_takes_no_other_number()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Fill(database);
        await database.Execute("DELETE FROM telemetry.installation");

        var refused = await Assert.ThrowsAsync<InstallationException>(
            () => database.Store.InstallAsync(SampleInstallation.Of(3), default));

        Assert.Contains("'3' is configured, but the database was filled with another", refused.Message);
        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.installation"));
        Assert.Equal(Two, await database.Store.InstallAsync(Two, default));
    }

    /// <summary>Two partitions, their owners at work, a gateway in each, an alert in the second.</summary>
    private static async Task<(PartitionRow First, PartitionRow Second)> Fill(PostgresDatabase database)
    {
        await database.Store.InstallAsync(Two, default);
        var alert = AlertSamples.Row(1, AlertHead.None);
        var rows = new[] { await Take(database.Store, 0, 1), await Take(database.Store, 1, 2) };
        var commit = new StoreCommit { Partitions = { Step(rows[0]), Step(rows[1]) with { Alerts = alert.Head } } };
        commit.AlertOutbox.Add(alert);
        commit.Gateways.Add(GatewayRow.New(Gateway, Gateway.Partition(2)));
        commit.Gateways.Add(GatewayRow.New(Other, Other.Partition(2)));
        Assert.Equal(CommitOutcome.Committed, await database.Store.CommitAsync(commit, default));
        return (After(commit.Partitions[0]), After(commit.Partitions[1]));
    }

    /// <summary>The change; the streams end where the positions stand, or so many messages further.</summary>
    private static async Task<string?> Change(
        PostgresDatabase database, InstallationFacts from, InstallationFacts to, long more = 0, bool relays = false)
    {
        var ends = new Dictionary<(int, StreamKind), StreamEnd>
        {
            [(0, StreamKind.Live)] = new(11, 1 + more),
            [(0, StreamKind.Backlog)] = new(22, 1),
            [(1, StreamKind.Live)] = new(11, 1),
            [(1, StreamKind.Backlog)] = new(22, 1),
        };
        await using var connection = await database.OpenConnection();
        return await PartitionChange.MakeAsync(connection, from, to, ends, relays, token: 99, default);
    }
}
