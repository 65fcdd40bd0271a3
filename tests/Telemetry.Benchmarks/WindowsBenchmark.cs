using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Telemetry.Benchmarks.Drain;
using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Model.Installations;
using Telemetry.Model.Schemas;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Runtime;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks;

/// <summary>
/// What do windows cost? Processors empty a log of series with ten readings a second, with windows of ten seconds and
/// without any, by turns; each turn fills a log and a database of its own. In an in-order run each window has one part.
/// </summary>
internal static class WindowsBenchmark
{
    private const int Gateways = 200, Series = 100, FramesOfGateway = 60, ShortFramesOfGateway = 15, Rounds = 2;
    private const int Partitions = 16, Width = 10;
    private const double FromPart = 0.1, ToPart = 0.95;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static async Task RunAsync(RunLength run)
    {
        var (with, without) = (new List<Turn>(), new List<Turn>());

        // The first turn pays for the compiler and is not counted.
        await TurnAsync(run, isOff: false);
        for (var round = 0; round < (run.IsShort ? 1 : Rounds); round++)
        {
            without.Add(await TurnAsync(run, isOff: true));
            with.Add(await TurnAsync(run, isOff: false));
        }

        var (rate, limit) = (with.Average(t => t.Rate), without.Average(t => t.Rate));
        Figure.Print("windows", rate, "readings/s", "without-windows", limit);
        Figure.Print("windows-of-limit", rate / limit, "");
        Figure.Print("windows-parts-a-window", with.Average(t => t.PartsOfWindow), "");
        Figure.Print(
            "windows-cpu-processor", with.Average(t => t.Cpu), "us/reading", "without", without.Average(t => t.Cpu));
        Figure.Print(
            "windows-cpu-postgres", with.Average(t => t.PostgresCpu), "us/reading", "without",
            without.Average(t => t.PostgresCpu));
        Figure.Print("windows-part", with.Average(t => t.PartBytes), "B");
    }

    private static async Task<Turn> TurnAsync(RunLength run, bool isOff)
    {
        await using var nats = await NatsServer.Start();
        await using var postgres = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "4GB", ["shared_buffers"] = "256MB" },
        });
        await using var store = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = postgres.ConnectionString }, TimeProvider.System, default);
        await using var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] });
        await store.AddWidthsAsync(
            new ConfiguredWidths("benchmark", [new WindowWidth(NamePattern.Any, Width, WindowWidth.Beginning)]),
            "benchmark", default);
        var facts = await store.InstallAsync(new InstallationFacts(Guid.NewGuid(), Partitions, 1), default);
        var log = new JetStreamFrameLog(connection, new JetStreamFrameLogOptions(), facts);
        var control = new NatsControlChannel(connection, facts);
        for (var partition = 0; partition < Partitions; partition++)
        {
            await log.EnsureStreamsAsync(partition, default);
        }

        var frames = run.IsShort ? ShortFramesOfGateway : FramesOfGateway;
        var filled = await FilledLog.FillAsync(
            nats.Url, Fleet.Names(run.Gateways(Gateways)), frames, Series, TimeSpan.FromSeconds(frames));
        var options = new ProcessorOptions
        {
            Partitions = Partitions,
            Workers = ProcessorOptions.WorkersDefault,
            Windows = new WindowOptions { IsOff = isOff },
        };
        using var stop = new CancellationTokenSource();
        var workers = Enumerable.Range(0, options.Workers).Select(worker => new Processor(
            store, log, control, options with { Worker = worker }, TimeProvider.System, Random.Shared,
            NullLogger.Instance)).ToArray();
        var running = EventLoop.RunAllAsync(
            "processor", [.. workers.Select<Processor, Func<CancellationToken, Task>>(w => w.RunAsync)], stop.Token);
        var turn = await MeasureAsync(workers, filled.Readings, postgres);
        stop.Cancel();
        await running;
        return turn with
        {
            PartsOfWindow = await NumberAsync(postgres.ConnectionString, """
                SELECT count(*)::double precision / nullif(count(DISTINCT (series, start)), 0)
                FROM telemetry.window_part
                """),
            PartBytes = await NumberAsync(postgres.ConnectionString, """
                SELECT sum(pg_total_relation_size(inhrelid))::double precision
                    / nullif((SELECT count(*) FROM telemetry.window_part), 0)
                FROM pg_inherits WHERE inhparent = 'telemetry.window_part'::regclass
                """),
        };
    }

    private static async Task<Turn> MeasureAsync(Processor[] workers, long readings, PostgresServer postgres)
    {
        var from = await ReachedAsync(workers, (long)(readings * FromPart), postgres);
        var to = await ReachedAsync(workers, (long)(readings * ToPart), postgres);
        var stored = to.Stored - from.Stored;
        await ReachedAsync(workers, readings, postgres);
        return new Turn(
            stored / Stopwatch.GetElapsedTime(from.At, to.At).TotalSeconds,
            (to.Own - from.Own).TotalMicroseconds / stored,
            (to.Postgres - from.Postgres).TotalMicroseconds / stored, 0, 0);
    }

    private static async Task<(long At, long Stored, TimeSpan Own, TimeSpan Postgres)> ReachedAsync(
        Processor[] workers, long readings, PostgresServer postgres)
    {
        while (true)
        {
            var stored = workers.Sum(w => w.Counters.Stored);
            if (stored >= readings)
            {
                return (
                    Stopwatch.GetTimestamp(), stored, Process.GetCurrentProcess().TotalProcessorTime,
                    CpuTime.OfFamily(postgres.Process.Id));
            }

            await Task.Delay(LookEvery);
        }
    }

    private static async Task<double> NumberAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() as double? ?? 0;
    }

    /// <summary>One emptying of a log; CPU in microseconds a reading.</summary>
    private sealed record Turn(double Rate, double Cpu, double PostgresCpu, double PartsOfWindow, double PartBytes);
}
