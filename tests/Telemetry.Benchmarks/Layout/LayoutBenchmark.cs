using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// What the layout of readings on plain PostgreSQL costs when they are stored and moved, and how fast it answers.
/// TELEMETRY_LAYOUT_READINGS says how many readings are queried; ten million unless it says otherwise.
/// </summary>
internal static class LayoutBenchmark
{
    private const int Workers = 2, Gateways = 500, ReadingsOfFrame = 200, ReadingsOfTransaction = 30_000;

    public static async Task RunAsync(RunLength length)
    {
        await using var server = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "4GB", ["shared_buffers"] = "1GB" },
        });
        await LayoutCopies.RunAsync(server.ConnectionString, length.IsShort ? 2 : 12);
        await StoringAsync(server, length);
        var readings = long.Parse(
            Environment.GetEnvironmentVariable("TELEMETRY_LAYOUT_READINGS") ?? "10000000", CultureInfo.InvariantCulture);
        await LayoutQueries.RunAsync(server, length.IsShort ? 400_000 : readings);
    }

    /// <summary>
    /// Whole transactions over two connections, with and without moving beside them, in turns. Without it all readings
    /// stay in a plain table without an index.
    /// </summary>
    private static async Task StoringAsync(PostgresServer server, RunLength length)
    {
        const string name = "layout_storing";
        await using var limit = await StoreLimit.OpenAsync(
            server.ConnectionString, name, Workers, Gateways, ReadingsOfFrame, length.Seconds(10));
        await using var mover = await PostgresStore.OpenAsync(
            new PostgresStoreOptions
            {
                ConnectionString =
                    new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString,
            },
            TimeProvider.System, CancellationToken.None);
        await limit.MeasureAsync(ReadingsOfTransaction);
        List<double> with = [], without = [], ratios = [], moved = [];
        for (var round = 0; round < (length.IsShort ? 1 : 7); round++)
        {
            without.Add(await limit.MeasureAsync(ReadingsOfTransaction));
            var (before, start) = (mover.ReadingsIndexed, Stopwatch.GetTimestamp());
            using var stop = new CancellationTokenSource();
            var moving = MoveAsync(mover, stop.Token);
            with.Add(await limit.MeasureAsync(ReadingsOfTransaction));
            moved.Add((mover.ReadingsIndexed - before) / Stopwatch.GetElapsedTime(start).TotalSeconds);
            await stop.CancelAsync();
            await moving;
            ratios.Add(with[^1] / without[^1]);
        }

        Figure.Print("storing.without_moving", Median(without), "readings/s");
        Figure.Print(
            "storing.with_moving", Median(with), "readings/s", "without moving", Median(without));
        Figure.Print("storing.ratio", Median(ratios), "(median of rounds)");
        Figure.Print("storing.moved_meanwhile", Median(moved), "readings/s");
    }

    private static async Task MoveAsync(PostgresStore store, CancellationToken cancellationToken)
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
