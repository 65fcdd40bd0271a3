namespace Telemetry.Integration.Storage;

/// <summary>How far gateways, sites and groups are complete, and what they wait for.</summary>
public sealed class WatermarkViewTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string Epoch = "00000000000000";

    [Fact]
    public async Task Fresh_watermark_waits_for_nothing()
    {
        await using var database = await WithGateway("now()");

        Assert.Equal("nothing", await WaitsFor(database));
    }

    [Fact]
    public async Task Old_watermark_with_all_settled_waits_for_a_promise()
    {
        await using var database = await WithGateway("'2026-01-02 03:04:05Z'");

        Assert.Equal("nothing: no promise since 2026-01-02 03:04:05Z", await WaitsFor(database));
        await database.Execute("UPDATE telemetry.gateway SET watermark = NULL");
        Assert.Equal("nothing: no promise yet", await WaitsFor(database));
    }

    [Fact]
    public async Task Sequences_that_are_sealed_and_not_settled_are_named()
    {
        await using var database = await WithGateway("now()");
        await database.Execute("""
            INSERT INTO telemetry.epoch (gateway, epoch, complete, last_critical, last_live, last_backlog)
            VALUES ('gw-1', 127, false, 0, 900, 2), ('gw-1', 126, true, 0, 50, 0);
            INSERT INTO telemetry.lane (gateway, epoch, lane, prefix, prefix_share) VALUES ('gw-1', 127, 1, 811, 0);
            INSERT INTO telemetry.run (gateway, epoch, lane, first, last, state, share)
            VALUES ('gw-1', 127, 1, 850, 860, 0, 0), ('gw-1', 127, 1, 861, 870, 1, 0), ('gw-1', 126, 1, 7, 8, 1, 0)
            """);

        Assert.Equal(
            $"backlog 1-2 of epoch {Epoch}7f sealed, not arrived; live 812-849 of epoch {Epoch}7f sealed, not arrived; "
                + $"live 871-900 of epoch {Epoch}7f sealed, not arrived",
            await WaitsFor(database));
        Assert.Equal("70", await database.Row("SELECT unsettled FROM telemetry.lag"));

        await database.Execute("UPDATE telemetry.lane SET prefix = 900; UPDATE telemetry.epoch SET last_backlog = 0; "
            + "DELETE FROM telemetry.run");
        Assert.Equal("nothing", await WaitsFor(database));
    }

    [Fact]
    public async Task Many_runs_are_counted()
    {
        await using var database = await WithGateway("now()");
        await database.Execute("""
            INSERT INTO telemetry.epoch (gateway, epoch, complete, last_critical, last_live, last_backlog)
            VALUES ('gw-1', 127, false, 0, 20, 0);
            INSERT INTO telemetry.run (gateway, epoch, lane, first, last, state, share)
            SELECT 'gw-1', 127, 1, n, n, 0, 0 FROM generate_series(2, 20, 2) n
            """);

        Assert.EndsWith(
            $"live 5-5 of epoch {Epoch}7f sealed, not arrived; and 7 more", await WaitsFor(database),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processor_windows_schemas_and_epochs_that_keep_it_are_named()
    {
        await using var database = await WithGateway("now() - interval '1 hour'");
        await database.Execute(
            "UPDATE telemetry.gateway SET window_from = now(), window_to = now() - interval '1 min'");
        Assert.StartsWith("nothing", await WaitsFor(database), StringComparison.Ordinal);

        await database.Execute("""
            UPDATE telemetry.partition SET lease_until = '2026-01-02 03:04:05Z';
            UPDATE telemetry.gateway SET window_to = now() - interval '3 min';
            INSERT INTO telemetry.waiting_message (gateway, needs, hash, log_stored, bytes, kept_at)
            VALUES ('gw-1', '\x01', 1, 1, '\x02', now());
            INSERT INTO telemetry.epoch (gateway, epoch, complete, last_critical, last_live, last_backlog)
            VALUES ('gw-1', 125, false, 0, 1, 0), ('gw-1', 126, false, 0, 1, 0), ('gw-1', 127, false, 0, 1, 0);
            UPDATE telemetry.epoch SET predecessor = 126 WHERE epoch = 127;
            INSERT INTO telemetry.lane (gateway, epoch, lane, prefix, prefix_share)
            SELECT gateway, epoch, 1, 1, 0 FROM telemetry.epoch;
            INSERT INTO telemetry.frame_register (gateway, epoch, lane, first, count, stored, rejected, dropped,
                time_first, time_last, checksum, hash_sum, stored_at)
            SELECT gateway, epoch, 1, 1, 1, 1, 0, 0, now(), now(), 0, 0, now() - interval '1 min' * (127 - epoch)
            FROM telemetry.epoch
            """);

        Assert.Equal(
            "a processor: partition 0 has none since 2026-01-02 03:04:05Z; its windows are folded anew; 1 messages "
                + $"wait for a schema; epoch {Epoch}7d, which nobody closed",
            await WaitsFor(database));
        Assert.Equal($"{Epoch}7d", await database.Row("SELECT epoch FROM telemetry.unclosed_epochs"));
    }

    [Fact]
    public async Task Lag_of_a_gateway_is_told_also_before_its_first_frame()
    {
        await using var database = await WithGateway("now() - interval '1 hour'");
        await database.Execute("""
            INSERT INTO telemetry.stream_lag (partition, stream, messages, oldest_at, removed_at, stage, looked_at)
            VALUES (0, 'live', 0, NULL, NULL, 0, now()), (0, 'backlog', 9, now(), '2026-01-01 00:00Z', 2, now());
            UPDATE telemetry.gateway SET stored = 5;
            INSERT INTO telemetry.outbox VALUES ('gw-1', 1, 12), ('new', 1, 3)
            """);

        Assert.Equal(
            "gw-1 7 p-1 01:00:00 0 9 2026-01-01 00:00:00 warning, new 3",
            await database.Row("""
                SELECT string_agg(concat_ws(' ', gateway, on_the_way, owner, date_trunc('minute', watermark_age),
                    live_messages, backlog_messages, removed_at AT TIME ZONE 'UTC', stage), ', ' ORDER BY gateway)
                FROM telemetry.lag
                """));
    }

    [Fact]
    public async Task Watermark_of_a_site_is_its_gateways_least_and_the_missing_ones_are_named()
    {
        await using var database = await WithGateway("now()");
        await database.Execute("""
            INSERT INTO telemetry.gateway (gateway, partition, stored, rejected, dropped, lost, watermark, fork,
                changed_at)
            VALUES ('gw-2', 0, 0, 0, 0, 0, now() - interval '10 min', '', now()),
                ('gw-3', 0, 0, 0, 0, 0, now() - interval '1 min', '', now()), ('gw-4', 0, 0, 0, 0, 0, NULL, '', now());
            INSERT INTO telemetry.device_metadata (gateway, device, site, labels)
            VALUES ('gw-1', 'a', 'S', '{"line": "A"}'), ('gw-1', 'b', 'S', '{"line": "B"}'), ('gw-2', 'a', 'S', '{}'),
                ('gw-3', 'a', 'S', '{"line": "A"}'), ('gw-3', 'b', 'T', '{}'), ('never', 'a', 'U', '{}')
            """);
        const string Columns = """
            concat_ws(' ', gateways, date_trunc('minute', now() - watermark),
                date_trunc('minute', now() - watermark_of_others), missing)
            """;

        Assert.Equal(
            "S 3 00:10:00 00:01:00 {gw-2}, T 1 00:01:00 00:01:00 {}, U 1 {never}, no site 1 {gw-4}",
            await database.Row($"""
                SELECT string_agg(coalesce(site, 'no site') || ' ' || {Columns}, ', ' ORDER BY site)
                FROM telemetry.fleet_watermark_by_site
                """));
        Assert.Equal(
            "A 2 00:01:00 00:00:00 {gw-3}, B 1 00:00:00 00:00:00 {}, none 3 {gw-2,gw-4,never}",
            await database.Row($"""
                SELECT string_agg(coalesce(value, 'none') || ' ' || {Columns}, ', ' ORDER BY value)
                FROM telemetry.fleet_watermark('line', '30 s')
                """));
        Assert.Equal(
            "{S} | {S} | {S,T} | ",
            await database.Row("SELECT string_agg(coalesce(sites::text, ''), ' | ' ORDER BY gateway) "
                + "FROM telemetry.watermarks"));
    }

    private static Task<string> WaitsFor(PostgresDatabase database) =>
        database.Row("SELECT waits_for FROM telemetry.watermarks WHERE gateway = 'gw-1'");

    // One gateway with a watermark, and a processor that holds its partition.
    private async Task<PostgresDatabase> WithGateway(string watermark)
    {
        var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute($"""
            INSERT INTO telemetry.partition (partition, token, owner, lease_until, commits, live_created, live_sequence,
                live_message, live_stored, backlog_created, backlog_sequence, backlog_message, backlog_stored)
            VALUES (0, 1, 'p-1', now() + interval '1 hour', 0, 0, 0, '', 0, 0, 0, '', 0);
            INSERT INTO telemetry.gateway (gateway, partition, stored, rejected, dropped, lost, watermark, fork,
                changed_at)
            VALUES ('gw-1', 0, 0, 0, 0, 0, {watermark}, '', now())
            """);
        return database;
    }
}
