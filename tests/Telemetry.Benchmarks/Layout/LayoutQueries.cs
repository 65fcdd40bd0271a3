using System.Diagnostics;
using Npgsql;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// Three queries over so many readings: 1,000 series of 50 gateways, 40 days to now. All readings arrive and are moved
/// as in operation, so that they lie as there; as many as upkeep leaves at most have not been moved.
/// </summary>
internal static class LayoutQueries
{
    /// <summary>So many series, and so many days to now.</summary>
    internal const int Series = 1_000, Days = 40;

    private const int TimesOfStep = 131;

    private static readonly (string Name, string Sql)[] Queries =
    [
        ("hour", """
            SELECT time, number FROM telemetry.reading_plain
            WHERE gateway = 'gw-7' AND device = 'pump' AND metric = 'm3' AND time > now() - interval '1 hour'
            """),
        ("day_of_last_month", """
            SELECT time, number FROM telemetry.reading_plain
            WHERE gateway = 'gw-7' AND device = 'pump' AND metric = 'm3'
              AND time >= now() - interval '31 days' AND time < now() - interval '30 days'
            """),
        ("latest", "SELECT * FROM telemetry.latest_readings('gw-7')"),
    ];

    public static async Task RunAsync(PostgresServer server, long readings)
    {
        await using (var admin = new NpgsqlConnection(server.ConnectionString))
        {
            await admin.OpenAsync();
            await ExecuteAsync(admin, "CREATE DATABASE layout_queries");
        }

        var own = new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Database = "layout_queries",
            CommandTimeout = 0,
        }.ConnectionString;
        await using var store = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = own, IndexingPercent = 100 }, TimeProvider.System,
            CancellationToken.None);
        await using var connection = new NpgsqlConnection(own);
        await connection.OpenAsync();
        await RegisterAsync(connection);
        await FillAsync(server, store, connection, readings);
        await AskAsync(connection);
    }

    /// <summary>Registers the series of the queries; their numbers begin at one.</summary>
    internal static Task RegisterAsync(NpgsqlConnection connection) => ExecuteAsync(connection, $"""
        INSERT INTO telemetry.device (identity, gateway, device)
        SELECT int4send(g), 'gw-' || g, 'pump' FROM generate_series(0, 49) g;
        INSERT INTO telemetry.series (identity, device_id, gateway, device, metric, labels, type, unit,
            extra_lateness_micros, decimals)
        SELECT int4send(s), 1 + s / 20, 'gw-' || s / 20, 'pump', 'm' || s % 20, jsonb_build_object(), 0, 'Cel', 0, 2
        FROM generate_series(0, {Series - 1}) s
        """);

    /// <summary>Measures the queries and prints their plans.</summary>
    internal static async Task AskAsync(NpgsqlConnection connection)
    {
        await ExecuteAsync(connection, "VACUUM ANALYZE");
        foreach (var (name, sql) in Queries)
        {
            await MeasureAsync(connection, name, sql);
        }
    }

    /// <summary>Fills the table, and says what moving costs.</summary>
    private static async Task FillAsync(
        PostgresServer server, PostgresStore store, NpgsqlConnection connection, long readings)
    {
        var times = readings / Series;
        var every = TimeSpan.FromDays(Days).TotalSeconds / times;
        var (moving, cpu, wal) = (TimeSpan.Zero, TimeSpan.Zero, 0L);
        for (var first = 0L; first < times; first += TimesOfStep)
        {
            // Ten readings of a series in a row, as frames hold them. The last step stays where it arrived.
            var rest = Math.Min(TimesOfStep, times - first);
            var isLast = first + rest >= times;
            await ExecuteAsync(connection, FormattableString.Invariant($"""
                INSERT INTO telemetry.reading_arrived (time, i, series, flags)
                SELECT now() - ({times - first} - n) * interval '{every} s', 1000 + n % 100, s, 768
                FROM generate_series(0, {(isLast ? Math.Min(rest, 65) : rest) - 1}) n, generate_series(1, {Series}) s
                ORDER BY n / 10, s, n
                """));
            var (start, cpuStart, walStart) = (
                Stopwatch.GetTimestamp(), CpuTime.OfAllTime(server.Process.Id), await WalAsync(connection));
            await store.IndexReadingsAsync(CancellationToken.None);
            moving += Stopwatch.GetElapsedTime(start);
            cpu += CpuTime.OfAllTime(server.Process.Id) - cpuStart;
            wal += await WalAsync(connection) - walStart;
        }

        var moved = (double)store.ReadingsIndexed;
        Figure.Print("moving.readings", moved / moving.TotalSeconds, "readings/s");
        Figure.Print("moving.cpu", cpu.TotalNanoseconds / moved, "ns/reading (checkpoints included)");
        Figure.Print("moving.wal", wal / moved, "B/reading");
        Figure.Print("stored.readings", await NumberAsync(connection, "SELECT count(*) FROM telemetry.reading"), "");
        Figure.Print(
            "stored.not_moved", await NumberAsync(connection, "SELECT count(*) FROM telemetry.reading_arrived"), "");
        Figure.Print("stored.heap", await SizeAsync("pg_relation_size") / moved, "B/reading");
        Figure.Print("stored.indexes", await SizeAsync("pg_indexes_size") / moved, "B/reading");

        Task<double> SizeAsync(string function) => NumberAsync(connection, $"""
            SELECT sum({function}(relid)) FROM pg_partition_tree('telemetry.reading_indexed') WHERE isleaf
            """);
    }

    private static async Task MeasureAsync(NpgsqlConnection connection, string name, string sql)
    {
        var times = new List<double>();
        for (var n = 0; n < 51; n++)
        {
            var start = Stopwatch.GetTimestamp();
            await ExecuteAsync(connection, sql);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Figure.Print($"query.{name}.first", times[0], "ms");
        Figure.Print($"query.{name}.median", LayoutBenchmark.Median(times), "ms");
        Figure.Print($"query.{name}.greatest", times.Skip(1).Max(), "ms");
        await using var command = new NpgsqlCommand($"EXPLAIN (ANALYZE, BUFFERS) {sql}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            Console.WriteLine($"  {reader.GetString(0)}");
        }
    }

    private static async Task<long> WalAsync(NpgsqlConnection connection) =>
        (long)await NumberAsync(connection, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')");

    internal static async Task<double> NumberAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToDouble(await command.ExecuteScalarAsync(), null);
    }

    internal static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
