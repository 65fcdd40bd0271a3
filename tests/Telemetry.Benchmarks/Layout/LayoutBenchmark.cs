using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// What the layout of readings costs when they are stored and moved, and how fast it answers: on a plain PostgreSQL
/// that it starts, or on the TimescaleDB server that TELEMETRY_LAYOUT_SERVER names, an Npgsql connection string of a
/// user who may make databases; they are left there. TELEMETRY_LAYOUT_READINGS says how many readings are queried; ten
/// million unless it says otherwise.
/// </summary>
internal static class LayoutBenchmark
{
    internal const int Workers = 2, Gateways = 500, ReadingsOfFrame = 200, ReadingsOfTransaction = 30_000;

    public static async Task RunAsync(RunLength length)
    {
        var readings = length.IsShort ? 400_000 : long.Parse(
            Environment.GetEnvironmentVariable("TELEMETRY_LAYOUT_READINGS") ?? "10000000",
            CultureInfo.InvariantCulture);
        if (Environment.GetEnvironmentVariable("TELEMETRY_LAYOUT_SERVER") is { Length: > 0 } named)
        {
            await LayoutChunks.RunAsync(named, readings, length);
            return;
        }

        await using var server = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "4GB", ["shared_buffers"] = "1GB" },
        });
        await LayoutCopies.RunAsync(server.ConnectionString, length.IsShort ? 2 : 12);
        await StoringAsync(server, length);
        await LayoutQueries.RunAsync(server, readings);
    }

    /// <summary>
    /// Whole transactions over two connections, in turns: into weeks without any index, into one table without any
    /// index, and into the same while readings are moved beside them.
    /// </summary>
    private static async Task StoringAsync(PostgresServer server, RunLength length)
    {
        await using var weeks = await OpenAsync(server, "layout_weeks", length);
        await ExecuteAsync(server, "layout_weeks", WeeksSql);
        await using var arrived = await OpenAsync(server, "layout_arrived", length);
        await using var mover = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = ConnectionString(server, "layout_arrived") },
            TimeProvider.System, CancellationToken.None);
        await weeks.MeasureAsync(ReadingsOfTransaction);
        await arrived.MeasureAsync(ReadingsOfTransaction);
        List<double> inWeeks = [], without = [], with = [], moved = [], toWeeks = [], toWithout = [];
        for (var round = 0; round < (length.IsShort ? 1 : 9); round++)
        {
            inWeeks.Add(await weeks.MeasureAsync(ReadingsOfTransaction));
            without.Add(await arrived.MeasureAsync(ReadingsOfTransaction));
            var (before, start) = (mover.ReadingsIndexed, Stopwatch.GetTimestamp());
            using var stop = new CancellationTokenSource();
            var moving = MoveAsync(mover, stop.Token);
            with.Add(await arrived.MeasureAsync(ReadingsOfTransaction));
            moved.Add((mover.ReadingsIndexed - before) / Stopwatch.GetElapsedTime(start).TotalSeconds);
            await stop.CancelAsync();
            await moving;
            toWeeks.Add(with[^1] / inWeeks[^1]);
            toWithout.Add(with[^1] / without[^1]);
        }

        Figure.Print("storing.weeks_without_index", Median(inWeeks), "readings/s");
        Figure.Print("storing.without_moving", Median(without), "readings/s");
        Figure.Print("storing.with_moving", Median(with), "readings/s", "weeks without index", Median(inWeeks));
        Figure.Print("storing.ratio_to_weeks", Median(toWeeks), "(median of rounds)");
        Figure.Print("storing.ratio_to_without_moving", Median(toWithout), "(median of rounds)");
        Figure.Print("storing.moved_meanwhile", Median(moved), "readings/s");
    }

    // Weeks without any index in place of the one table: what storing was without the BRIN index on time.
    private const string WeeksSql = """
        DROP TABLE telemetry.reading_arrived;
        CREATE TABLE telemetry.reading_arrived PARTITION OF telemetry.reading FOR VALUES IN (false)
            PARTITION BY RANGE (time);
        CREATE TABLE telemetry.arrived_default PARTITION OF telemetry.reading_arrived DEFAULT;
        DO $$ BEGIN
            FOR week IN -1..1 LOOP
                EXECUTE format(
                    'CREATE TABLE telemetry.arrived_%s PARTITION OF telemetry.reading_arrived '
                        'FOR VALUES FROM (%L) TO (%L)',
                    week + 1, date_bin('7 days', now(), '1970-01-01Z') + week * interval '7 days',
                    date_bin('7 days', now(), '1970-01-01Z') + (week + 1) * interval '7 days');
            END LOOP;
        END $$
        """;

    private static Task<StoreLimit> OpenAsync(PostgresServer server, string name, RunLength length) =>
        StoreLimit.OpenAsync(
            server.ConnectionString, name, Workers, Gateways, ReadingsOfFrame, length.Seconds(6));

    private static string ConnectionString(PostgresServer server, string name) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString;

    private static async Task ExecuteAsync(PostgresServer server, string name, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(server, name));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Does upkeep's work until it is told to stop.</summary>
    internal static async Task MoveAsync(PostgresStore store, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await store.IndexReadingsAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The round is over.
        }
    }

    internal static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
