using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Chunks;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// TimescaleDB, of either edition: what storing keeps of its rate while chunks are converted or indexed beside it, the
/// three queries over chunks that upkeep has closed, and how large they are.
/// </summary>
internal static class LayoutChunks
{
    private const int RowBytes = 60, ClosedChunks = 30;

    public static async Task RunAsync(string server, long readings, RunLength length)
    {
        await LayoutSizes.RunAsync(server);
        await StoringAsync(server, length);
        await QueriesAsync(server, readings);
    }

    /// <summary>Makes a database, empty but for our tables.</summary>
    public static async Task<(PostgresStore Store, NpgsqlConnection Connection)> MakeAsync(
        string server, string name, int percent)
    {
        await using (var admin = new NpgsqlConnection(server))
        {
            await admin.OpenAsync();
            await LayoutQueries.ExecuteAsync(admin, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            await LayoutQueries.ExecuteAsync(admin, $"CREATE DATABASE {name}");
        }

        // Connections of a pool to the database that was dropped are dead.
        NpgsqlConnection.ClearAllPools();
        var own = new NpgsqlConnectionStringBuilder(server) { Database = name, CommandTimeout = 0 }.ConnectionString;
        var connection = new NpgsqlConnection(own);
        await connection.OpenAsync();
        await LayoutQueries.ExecuteAsync(connection, "CREATE EXTENSION IF NOT EXISTS timescaledb");
        var store = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = own, IndexingPercent = percent, ChunkQuiet = TimeSpan.Zero },
            TimeProvider.System, CancellationToken.None);
        return (store, connection);
    }

    /// <summary>
    /// Whole transactions over two connections, with and without upkeep at work on closed chunks, in turns. Those are
    /// in a database of their own on the same server.
    /// </summary>
    private static async Task StoringAsync(string server, RunLength length)
    {
        var (upkeep, filled) = await MakeAsync(server, "layout_closed", new PostgresStoreOptions
        {
            ConnectionString = "",
        }.IndexingPercent);
        await using var closing = upkeep;
        await using var connection = filled;
        await LayoutQueries.RegisterAsync(connection);
        var chunks = length.IsShort ? 2 : ClosedChunks;
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            await FillAsync(connection, $"now() - interval '{2 * (chunk + 2)} hours'", 600, 5);
        }

        await using var limit = await StoreLimit.OpenAsync(
            await FreshAsync(server, "layout_stored"), "layout_stored", LayoutBenchmark.Workers,
            LayoutBenchmark.Gateways, LayoutBenchmark.ReadingsOfFrame, length.Seconds(6));
        await limit.MeasureAsync(LayoutBenchmark.ReadingsOfTransaction);
        List<double> without = [], with = [], ratios = [];
        for (var round = 0; round < (length.IsShort ? 1 : 7); round++)
        {
            without.Add(await limit.MeasureAsync(LayoutBenchmark.ReadingsOfTransaction));
            using var stop = new CancellationTokenSource();
            var working = LayoutBenchmark.MoveAsync(upkeep, stop.Token);
            with.Add(await limit.MeasureAsync(LayoutBenchmark.ReadingsOfTransaction));
            await stop.CancelAsync();
            await working;
            ratios.Add(with[^1] / without[^1]);
        }

        Figure.Print("storing.without_upkeep", LayoutBenchmark.Median(without), "readings/s");
        Figure.Print("storing.with_upkeep", LayoutBenchmark.Median(with), "readings/s");
        Figure.Print("storing.ratio", LayoutBenchmark.Median(ratios), "(median of rounds)");
    }

    // The database is made from template1, so the extension has to be there.
    private static async Task<string> FreshAsync(string server, string name)
    {
        await using var admin = new NpgsqlConnection(server);
        await admin.OpenAsync();
        await LayoutQueries.ExecuteAsync(admin, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await using var template = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(server) { Database = "template1", Pooling = false }.ConnectionString);
        await template.OpenAsync();
        await LayoutQueries.ExecuteAsync(template, "CREATE EXTENSION IF NOT EXISTS timescaledb");
        return server;
    }

    /// <summary>Fills chunk by chunk, as long as the rate makes them; upkeep closes each.</summary>
    private static async Task QueriesAsync(string server, long readings)
    {
        var (store, connection) = await MakeAsync(server, "layout_queries", 100);
        await using var closing = store;
        await using var open = connection;
        await LayoutQueries.RegisterAsync(connection);
        var days = TimeSpan.FromDays(LayoutQueries.Days);
        var rate = readings / days.TotalSeconds;
        var length = ChunkLengths.Next(
            ChunkLengths.All[^1], null, rate * RowBytes, new PostgresStoreOptions { ConnectionString = "" }.ChunkBytes);
        await LayoutQueries.ExecuteAsync(
            connection, $"SELECT set_chunk_time_interval('telemetry.reading', interval '{length.TotalHours} hours')");
        var every = LayoutQueries.Series / rate;
        var (upkeep, chunks) = (TimeSpan.Zero, 0);
        var end = DateTime.UtcNow;
        for (var from = Floor(end - days, length); from < end; from += length, chunks++)
        {
            var until = from + length < end ? from + length : end;
            await FillAsync(
                connection, $"'{from:yyyy-MM-dd HH:mm:ss}Z'::timestamptz", (int)((until - from).TotalSeconds / every),
                every);
            var start = Stopwatch.GetTimestamp();
            await store.IndexReadingsAsync(CancellationToken.None);
            upkeep += Stopwatch.GetElapsedTime(start);
        }

        var stored = await LayoutQueries.NumberAsync(connection, "SELECT count(*) FROM telemetry.reading");
        Figure.Print("chunks.length", length.TotalHours, "hours");
        Figure.Print("chunks.count", chunks, "");
        Figure.Print("stored.readings", stored, "");
        Figure.Print("closing.readings", stored / upkeep.TotalSeconds, "readings/s");
        Figure.Print(
            "stored.bytes", await SizeAsync(connection) / stored, "B/reading, indexes and open chunk included");
        await LayoutQueries.AskAsync(connection);
    }

    /// <summary>All of the table's bytes.</summary>
    public static Task<double> SizeAsync(NpgsqlConnection connection) =>
        LayoutQueries.NumberAsync(connection, "SELECT hypertable_size('telemetry.reading')");

    // Ten readings of a series in a row, as frames hold them: random walks of two decimals.
    private static async Task FillAsync(NpgsqlConnection connection, string from, int times, double every)
    {
        var hasDevice = await LayoutQueries.NumberAsync(connection, "SELECT count(*) FROM pg_attribute "
            + "WHERE attrelid = 'telemetry.reading'::regclass AND attname = 'device'") > 0;
        await LayoutQueries.ExecuteAsync(connection, string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO telemetry.reading ({(hasDevice ? "device, " : "")}time, i, series, flags)
            SELECT {(hasDevice ? "1 + (s - 1) / 20, " : "")}{from} + n * interval '{every} s',
                   2000 + sum((random() * 20)::int - 10) OVER (PARTITION BY s ORDER BY n), s, 768
            FROM generate_series(0, {times - 1}) n, generate_series(1, {LayoutQueries.Series}) s
            ORDER BY n / 10, s, n
            """));
    }

    private static DateTime Floor(DateTime time, TimeSpan length) =>
        new(time.Ticks - (time.Ticks % length.Ticks), time.Kind);
}
