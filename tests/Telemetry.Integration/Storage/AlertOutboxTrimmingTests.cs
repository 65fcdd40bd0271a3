using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Cloud.Hosting;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Alerts;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>What stays in the alert outbox, with and without a relay.</summary>
public sealed class AlertOutboxTrimmingTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly AlertOutboxOptions Options = new() { Keep = TimeSpan.FromDays(7), RowsMax = 60 };

    [Fact]
    public async Task Without_a_relay_the_oldest_go_by_number_and_are_counted_as_unpublished()
    {
        await using var database = await WithAlerts(100);
        var counters = new AlertOutboxCounters();

        await Upkeep(database, counters).LookAsync(default);

        Assert.Equal("41|100", await Kept(database));
        Assert.Equal((60, 0, 40), (counters.Waiting, counters.Trimmed, counters.TrimmedUnpublished));
        await Upkeep(database, counters).LookAsync(default);
        Assert.Equal((60, 0, 40), (counters.Waiting, counters.Trimmed, counters.TrimmedUnpublished));
    }

    [Fact]
    public async Task Without_a_relay_the_oldest_go_by_age()
    {
        await using var database = await WithAlerts(50);
        await Age(database, upTo: 50);

        Assert.Equal([new AlertOutboxLook(0, false, 0, 50)], await database.Postgres.TrimAlertsAsync(Options, default));
        Assert.Equal("|", await Kept(database));
        Assert.Equal([new AlertOutboxLook(0, false, 0, 0)], await database.Postgres.TrimAlertsAsync(Options, default));
    }

    [Fact]
    public async Task With_a_relay_only_what_is_published_and_old_goes_but_for_the_row_at_its_position()
    {
        await using var database = await WithAlerts(100);
        await Age(database, upTo: 30);
        await database.Execute("INSERT INTO telemetry.relay_position VALUES (0, 20, now())");

        Assert.Equal([new AlertOutboxLook(0, true, 80, 19)], await database.Postgres.TrimAlertsAsync(Options, default));
        Assert.Equal("20|100", await Kept(database));

        await database.Execute("UPDATE telemetry.relay_position SET number = 100");
        Assert.Equal([new AlertOutboxLook(0, true, 0, 11)], await database.Postgres.TrimAlertsAsync(Options, default));
        Assert.Equal("31|100", await Kept(database));
    }

    [Fact]
    public async Task With_a_relay_that_has_published_nothing_yet_all_stays()
    {
        await using var database = await WithAlerts(100);
        await Age(database, upTo: 100);
        await database.Execute("INSERT INTO telemetry.relay VALUES ('kafka', 'a', 1, now() + interval '1 minute')");
        var counters = new AlertOutboxCounters();

        await Upkeep(database, counters).LookAsync(default);

        Assert.Equal("1|100", await Kept(database));
        Assert.Equal((100, 0, 0), (counters.Waiting, counters.Trimmed, counters.TrimmedUnpublished));
    }

    [Fact]
    public async Task Row_whose_time_is_out_of_order_leaves_no_gap()
    {
        await using var database = await WithAlerts(50);
        await Age(database, upTo: 30);
        await database.Execute("UPDATE telemetry.alert_outbox SET stored_at = now() WHERE number = 10");

        await database.Postgres.TrimAlertsAsync(Options, default);

        Assert.Equal("10|50", await Kept(database));
        Assert.Equal("41", await database.Row("SELECT count(*) FROM telemetry.alert_outbox"));
    }

    [Fact]
    public async Task More_rows_than_one_step_takes_go_in_one_look()
    {
        await using var database = await WithAlerts(1);
        await database.Execute("""
            INSERT INTO telemetry.alert_outbox
            SELECT 0, n, '\x00', n::text, '\x00', now() FROM generate_series(2, 25000) n;
            UPDATE telemetry.partition SET alert_number = 25000;
            """);

        Assert.Equal(
            [new AlertOutboxLook(0, false, 60, 24_940)], await database.Postgres.TrimAlertsAsync(Options, default));
        Assert.Equal("24941|25000", await Kept(database));
    }

    private async Task<PostgresDatabase> WithAlerts(int rows)
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var commit = new StoreCommit();
        var head = AlertHead.None;
        for (var i = 0; i < rows; i++)
        {
            byte[] json = [(byte)i];
            head = head.Next(json);
            commit.AlertOutbox.Add(new AlertOutboxRow(0, head, $"id {i}", json));
        }

        commit.Partitions.Add(Step(await Take(database.Store)) with { Alerts = head });
        await database.Store.CommitAsync(commit, default);
        return database;
    }

    private static AlertOutboxTrimmer Upkeep(PostgresDatabase database, AlertOutboxCounters counters) =>
        new(database.Postgres, Options, counters, NullLogger.Instance);

    private static Task Age(PostgresDatabase database, int upTo) =>
        database.Execute(
            $"UPDATE telemetry.alert_outbox SET stored_at = now() - interval '8 days' WHERE number <= {upTo}");

    private static Task<string> Kept(PostgresDatabase database) =>
        database.Row("SELECT min(number), max(number) FROM telemetry.alert_outbox");
}
