using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>
/// How fast whole commits are, beside a bare COPY of the same rows: 20,000 readings of 200 gateways in 16 partitions
/// each. Run it alone: <c>TELEMETRY_SLOW=1 dotnet test tests/Telemetry.Integration -c Release --filter
/// FullyQualifiedName~StoreThroughput -l "console;verbosity=detailed"</c>.
/// </summary>
[Trait("Category", "Slow")]
public sealed class StoreThroughput(ITestOutputHelper output)
{
    private const int Commits = 60, WarmUp = 10, Gateways = 200, Series = 10, Times = 10, Partitions = 16;
    private const int Rows = Gateways * Series * Times;

    private static readonly SeriesEntry[] OfAll =
    [
        .. Enumerable.Range(0, Gateways * Series).Select(i => new SeriesEntry(
            GatewayId.Parse($"gateway-{i / Series}"),
            new SeriesDefinition { Device = "d", Metric = $"m{i % Series}", Decimals = 2 })
        {
            Number = i + 1,
            DeviceNumber = 1 + (i / Series),
        }),
    ];

    [SlowTheory]
    [InlineData("no index", "")]
    [InlineData("brin (time)", "CREATE INDEX ON telemetry.reading USING brin (time)")]
    [InlineData("btree (series, time)", "CREATE INDEX ON telemetry.reading (series, time)")]
    public async Task Commits_of_20_000_readings(string what, string sql)
    {
        await using var server = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "4GB", ["shared_buffers"] = "256MB" },
        });
        await using var database = await PostgresDatabase.Create(server.ConnectionString);
        await database.Execute($"CREATE TABLE bare (LIKE telemetry.reading); {sql}");
        var steps = new List<PartitionStep>();
        for (var p = 0; p < Partitions; p++)
        {
            steps.Add(Step(await Take(database.Store, p)));
        }

        var commit = new StoreCommit();
        var clock = new Stopwatch();
        for (var n = 0; n < Commits; n++)
        {
            Fill(commit, steps, n);
            if (n == WarmUp)
            {
                clock.Start();
            }

            Assert.Equal(CommitOutcome.Committed, await database.Store.CommitAsync(commit, default));
            steps = [.. steps.Select(s => Step(After(s)))];
        }

        var whole = Rate(clock.Elapsed);
        var bare = await BareCopy(database, commit.Readings);
        Assert.Equal($"{Commits * Rows}", await database.Row("SELECT count(*) FROM telemetry.reading"));
        var bytes = await database.Row($"""
            SELECT sum(pg_total_relation_size(inhrelid)) / {Commits * Rows} FROM pg_inherits
            WHERE inhparent = 'telemetry.reading'::regclass
            """);
        output.WriteLine(
            $"{what}: {whole:N0} readings/s in commits of {Rows:N0}, bare COPY {bare:N0} rows/s, ratio "
            + $"{whole / bare:0.00}, {bytes} bytes a row");
    }

    private static void Fill(StoreCommit commit, List<PartitionStep> steps, int n)
    {
        commit.Clear();
        commit.Partitions.AddRange(steps);
        var random = new Random(n);
        var start = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / 10;
        for (var g = 0; g < Gateways; g++)
        {
            var gateway = GatewayId.Parse($"gateway-{g}");
            var frame = Frame(1 + (n * 100), 100) with { Gateway = gateway };
            commit.Gateways.Add(
                GatewayRow.New(gateway, g % Partitions) with { Stored = (n + 1) * 100, Watermark = start });
            commit.Lanes.Add(new LaneLedgerRow(gateway, 7, Lane.Live, frame.Key.Last, frame.Checksum));
            commit.Frames.Add(frame);
            for (var s = 0; s < Series; s++)
            {
                var series = OfAll[(g * Series) + s];
                var value = Math.Round(20 + random.NextDouble(), 2);
                for (var t = 0; t < Times; t++)
                {
                    value = Math.Round(value + ((random.NextDouble() - 0.5) / 10), 2);
                    commit.Readings.Add(
                        series, start + (t * 1_000_000), ReadingFlags.None, BitConverter.DoubleToUInt64Bits(value));
                }
            }
        }
    }

    private static async Task<double> BareCopy(PostgresDatabase database, ReadingBuffer rows)
    {
        await using var connection = await database.OpenConnection();
        var encoder = new ReadingEncoder(withDevice: false);
        var clock = new Stopwatch();
        for (var n = 0; n < Commits; n++)
        {
            if (n == WarmUp)
            {
                clock.Start();
            }

            await using var copy = await connection.BeginRawBinaryCopyAsync(
                encoder.CopySql.Replace("telemetry.reading", "bare", StringComparison.Ordinal));
            encoder.Begin();
            while (encoder.Next(rows) is { IsEmpty: false } chunk)
            {
                await copy.WriteAsync(chunk);
            }
        }

        return Rate(clock.Elapsed);
    }

    private static double Rate(TimeSpan elapsed) => (Commits - WarmUp) * (double)Rows / elapsed.TotalSeconds;
}

/// <summary>A measurement, not a test: skipped unless TELEMETRY_SLOW=1 asks for it.</summary>
internal sealed class SlowTheoryAttribute : TheoryAttribute
{
    public SlowTheoryAttribute() =>
        Skip = Environment.GetEnvironmentVariable("TELEMETRY_SLOW") == "1"
            ? null : "A measurement; TELEMETRY_SLOW=1 runs it.";
}
