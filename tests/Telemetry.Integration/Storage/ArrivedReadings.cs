using Npgsql;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>
/// A database with half a million readings of 200 series, of which 100,000 have arrived and were not moved yet, and no
/// statistics of any table, as after it was restored from a dump. Where the server expects few series, it looks for the
/// readings of one series after the other, as those that were moved have an index for that.
/// </summary>
public sealed class ArrivedReadings : IAsyncLifetime
{
    public const int Gateways = 10, SeriesOfGateway = 20, Disordered = 3;

    // Five of the windows in the last ten minutes of each of so many series have parts that overlap.
    private static readonly string FillSql = $"""
        DO $$ BEGIN
            EXECUTE format('ALTER DATABASE %I SET max_parallel_workers_per_gather = 0', current_database());
        END $$;
        ALTER TABLE telemetry.reading_arrived SET (autovacuum_enabled = off);
        ALTER TABLE telemetry.series SET (autovacuum_enabled = off);
        ALTER TABLE telemetry.device_metadata SET (autovacuum_enabled = off);
        ALTER TABLE telemetry.gateway SET (autovacuum_enabled = off);
        INSERT INTO telemetry.gateway (gateway, partition, stored, rejected, dropped, lost, changed_at, watermark, fork)
        SELECT 'gw-' || g, 0, 0, 0, 0, 0, now(), now(), '' FROM generate_series(1, {Gateways}) g;
        INSERT INTO telemetry.device_metadata (gateway, device, site)
        SELECT gateway, 'pump', 'plant' FROM telemetry.gateway;
        INSERT INTO telemetry.series (identity, device_id, gateway, device, metric, labels, type, unit,
            extra_lateness_micros)
        SELECT sha256(n::text::bytea), 1, 'gw-' || 1 + n / {SeriesOfGateway}, 'pump', 'm' || n % {SeriesOfGateway},
            '{"{}"}', 0, '', 0
        FROM generate_series(0, {(Gateways * SeriesOfGateway) - 1}) n;
        INSERT INTO telemetry.reading_arrived (time, f, series, flags)
        SELECT now() - interval '1 hour' + n * interval '35 ms', n, 1 + n % {Gateways * SeriesOfGateway}, 0
        FROM generate_series(1, 100000) n;
        INSERT INTO telemetry.reading_indexed (time, f, series, flags)
        SELECT now() - interval '1 hour' - n * interval '9 ms', n, 1 + n % {Gateways * SeriesOfGateway}, 0
        FROM generate_series(1, 400000) n;
        INSERT INTO telemetry.window_part (start, f_squares, f_integral, hash_sum, f_sum, f_min, f_max, f_first, f_last,
            series, width, readings, numbers, nulls, uncertain, bad, first_at, last_at, flags)
        SELECT date_trunc('minute', now()) - m * interval '1 minute', 1, 1, 0, 41, 0, 10, 1, 2, s, 60, 41, 41, 0, 0, 0,
            0, 50000000, CASE WHEN m <= 5 AND s <= {Disordered} THEN 2 ELSE 0 END
        FROM generate_series(1, 59) m, generate_series(1, {Gateways * SeriesOfGateway}) s;
        """;

    private PostgresServer? _server;

    internal PostgresDatabase Database { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _server = await PostgresServer.Start(null);
        Database = await PostgresDatabase.CreateEmpty(_server.ConnectionString);
        await Database.OpenStore(
            new PostgresStoreOptions { ConnectionString = Database.ConnectionString, ArrivedReadings = 1_000_000 });
        await Database.Execute(FillSql);
    }

    public async Task DisposeAsync()
    {
        await Database.DisposeAsync();
        await _server!.DisposeAsync();
    }

    /// <summary>How often a query whose rows are needed in full scans the readings that arrived.</summary>
    internal async Task<long> Scans(string sql)
    {
        await using var connection = await Database.OpenConnection();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand($"""
            SELECT sum(length(q::text)) FROM ({sql} OFFSET 0) q;
            SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'reading_arrived'
            """, connection);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync() && reader.GetInt64(0) > 0, "the query has rows");
        Assert.True(await reader.NextResultAsync() && await reader.ReadAsync());
        return reader.GetInt64(0);
    }
}
