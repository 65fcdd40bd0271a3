using Telemetry.Benchmarks.EndToEnd;
using Telemetry.Processing;

namespace Telemetry.Benchmarks.Drain;

/// <summary>
/// How fast do processors alone empty a log that was filled before, with ledger, register, alert rules and readings in
/// PostgreSQL? No gateways and no ingress take part. The limit is COPY of the same readings as (timestamptz, int4,
/// int2, float8), encoded beforehand, into a table without any index, over as many connections and in transactions of
/// the same size, before and after.
/// </summary>
internal static class DrainBenchmark
{
    private const int Gateways = 500, FramesOfGateway = 40, ShortFramesOfGateway = 10;

    /// <summary>The rate is taken between these parts of what the log holds, past the start of the process.</summary>
    private const double FromPart = 0.05, ToPart = 0.98;

    private const double LimitSeconds = 6;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StandstillMax = TimeSpan.FromMinutes(2);

    private static readonly Dictionary<string, string> PostgresSettings = new()
    {
        ["max_wal_size"] = "4GB",
        ["shared_buffers"] = "256MB",
    };

    // Series of every gateway are watched: about a quarter of the readings are temperatures or pressures.
    private const string Rules = """
        { "rules": [
          { "name": "hot", "match": { "metric": "temperature*" }, "above": 40, "clear": 35, "for": "10 s" },
          { "name": "pressure", "match": { "metric": "pressure*" }, "below": -40, "clear": -35 }
        ] }
        """;

    public static async Task RunAsync(RunLength run)
    {
        var rules = Path.Combine(Path.GetTempPath(), $"telemetry-bench-rules-{Environment.ProcessId}.json");
        await File.WriteAllTextAsync(rules, Rules);
        try
        {
            await RunAsync(run, rules);
        }
        finally
        {
            File.Delete(rules);
        }
    }

    private static async Task RunAsync(RunLength run, string rules)
    {
        var gateways = run.Gateways(Gateways);

        // Its first start makes the tables and the streams.
        await using var backend = await Backend.StartAsync(
            Fleet.Names(gateways), PostgresSettings, role: "processor", rules);
        await backend.StopCloudAsync();
        var log = await FilledLog.FillAsync(
            backend.NatsUrl, Fleet.Names(gateways), run.IsShort ? ShortFramesOfGateway : FramesOfGateway);
        Figure.Print("drain-log", log.Readings, "readings");
        Figure.Print("drain-log-bytes", log.Bytes / (double)log.Readings, "B/reading");

        await using var limit = await CopyLimit.OpenAsync(
            backend.Postgres!.ConnectionString, ProcessorOptions.WorkersDefault, ChainTransaction,
            run.Seconds(LimitSeconds));
        var before = await limit.MeasureAsync(() => backend.PostgresCpu);
        await backend.CheckpointAsync();
        var (from, to) = await DrainAsync(backend, log.Readings);
        var rows = await backend.NumberAsync("SELECT count(*) FROM telemetry.reading");
        if (rows != log.Readings)
        {
            throw new InvalidOperationException($"{rows} readings in the database, {log.Readings} in the log");
        }

        var transitions = await backend.NumberAsync("SELECT count(*) FROM telemetry.alert_outbox");
        if (transitions == 0)
        {
            throw new InvalidOperationException("no rule fired: the rules were not evaluated");
        }

        await backend.StopCloudAsync();
        await backend.CheckpointAsync();
        var after = await limit.MeasureAsync(() => backend.PostgresCpu);
        Print(from, to, before, after, transitions);
    }

    /// <summary>The readings of one transaction at full load (processor.batchReadingsMax).</summary>
    private const int ChainTransaction = 30_000;

    private static void Print(
        DrainState from, DrainState to, (double Rate, double Cpu) before, (double Rate, double Cpu) after,
        long transitions)
    {
        var stored = to.Stored - from.Stored;
        var rate = stored / (to.At - from.At).TotalSeconds;
        Figure.Print("drain-limit-before", before.Rate, "readings/s");
        Figure.Print("drain-limit-after", after.Rate, "readings/s");
        Figure.Print("drain", rate, "readings/s", "copy-without-index", (before.Rate + after.Rate) / 2);
        Figure.Print("drain-of-limit", rate / ((before.Rate + after.Rate) / 2), "");
        Figure.Print("drain-transaction", stored / Math.Max(1, to.Commits - from.Commits), "readings");
        Figure.Print("drain-cpu-cloud", (to.Cloud - from.Cloud).TotalMicroseconds / stored, "us/reading");
        Figure.Print("drain-cpu-nats", (to.Nats - from.Nats).TotalMicroseconds / stored, "us/reading");
        var (own, limit) = ((to.Postgres - from.Postgres).TotalMicroseconds / stored, (before.Cpu + after.Cpu) / 2);
        Figure.Print("drain-cpu-postgres", own, "us/reading", "copy-without-index", limit);
        Figure.Print("drain-cpu-postgres-of-limit", own / limit, "");
        Figure.Print("drain-alert-transitions", transitions, "");
    }

    private static async Task<(DrainState From, DrainState To)> DrainAsync(Backend backend, long readings)
    {
        await backend.StartCloudAsync();
        DrainState? from = null;
        var last = await LookAsync(backend);
        while (true)
        {
            var now = await LookAsync(backend);
            from ??= now.Stored >= readings * FromPart ? now : null;
            if (from is not null && now.Stored >= readings * ToPart)
            {
                for (var to = now; ; now = await LookAsync(backend))
                {
                    if (now.Stored == readings)
                    {
                        return (from, to);
                    }

                    last = Advanced(last, now);
                    await Task.Delay(LookEvery);
                }
            }

            last = Advanced(last, now);
            await Task.Delay(LookEvery);
        }
    }

    private static DrainState Advanced(DrainState last, DrainState now) =>
        now.Stored > last.Stored ? now
        : now.At - last.At < StandstillMax ? last
        : throw new TimeoutException($"nothing more than {last.Stored} readings was stored in {StandstillMax}");

    private static async Task<DrainState> LookAsync(Backend backend)
    {
        var stored = await backend.StoredAsync();
        return new DrainState(
            DateTimeOffset.UtcNow,
            stored,
            (long)await backend.CounterAsync("telemetry_processor_commits_total"),
            backend.CloudCpu,
            backend.NatsCpu,
            backend.PostgresCpu);
    }

    /// <summary>Totals at one moment.</summary>
    private sealed record DrainState(
        DateTimeOffset At, long Stored, long Commits, TimeSpan Cloud, TimeSpan Nats, TimeSpan Postgres);
}
