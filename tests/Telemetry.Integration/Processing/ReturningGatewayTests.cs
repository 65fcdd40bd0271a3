using System.Globalization;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Processing;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>
/// A gateway returns after three days without a link. Its live lane goes on, and so do other gateways of the same
/// partition. TELEMETRY_TEST_GAP_FACTOR gives it so many times the readings: 5 times are 25 a second.
/// </summary>
public sealed class ReturningGatewayTests(ITestOutputHelper output)
{
    private const int FrameReadings = 8192, Others = 8, LiveReadings = 5;
    private const long Second = 1_000_000, Gap = 3 * 24 * 3600 * Second;

    /// <summary>What a message weighs at least, in bytes for each reading that a transaction may take.</summary>
    private const int BytesOfReading = 16;

    private static readonly int Factor = int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_TEST_GAP_FACTOR") ?? "1", CultureInfo.InvariantCulture);

    private static readonly TimeSpan SendEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2) * Factor;

    private readonly long _returned = Now();

    // The second one has a window for each reading.
    [ServersTheory(nats: true, postgres: true)]
    [InlineData(24, 5)]
    [InlineData(600, 1)]
    public async Task Gap_of_three_days_closes_in_bounded_transactions_under_one_lease(int series, int rate)
    {
        using var stop = new CancellationTokenSource(Limit);
        var readings = Gap / Second * rate * Factor / FrameReadings * FrameReadings;
        await using var stand = await ProcessorStand.Start();
        var gateway = new SealingGateway(ProcessorStand.Gateway(0), series, stand.Log);
        var others = Enumerable.Range(1, Others)
            .Select(i => new SealingGateway(ProcessorStand.Gateway(i), LiveReadings, stand.Log)).ToArray();
        foreach (var each in others.Prepend(gateway))
        {
            await each.SendSchema();
        }

        await SendLive(gateway, _returned - Gap - Second);
        await stand.WaitUntilSettled(LiveReadings);
        gateway.BacklogSealed = readings;

        var delays = new StoreDelays(stand.Database.ConnectionString);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var watching = delays.WatchAsync(end.Token);
        var live = LiveAsync(gateway, others, delays, end.Token);
        var began = TimeProvider.System.GetTimestamp();
        var random = new Random(1);
        for (var first = 0L; first < readings; first += FrameReadings)
        {
            await gateway.SendBacklog(Backlog(first, series, readings, random));
        }

        await Until(stand, $"watermark >= {At(_returned)}", stop.Token);
        var drained = TimeProvider.System.GetElapsedTime(began);
        await end.CancelAsync();
        await live;
        await watching;

        await AssertTransactions(stand, gateway, readings, drained);
        delays.Report(output);
        Assert.Single(delays.Tokens);
        Assert.Equal(0, delays.LooksWithoutLease);
        Assert.Equal((0, 0), (stand.Counters.NotOwner, stand.Counters.Errors));
        Assert.Equal(
            "True|0", await stand.Database.Row($"""
                SELECT bool_and(complete), sum(revision) FROM telemetry.windows
                WHERE gateway = '{gateway.Gateway}' AND start < {At(_returned - Gap + (3600 * Second))}
                """));
        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.window_revision"));
        Assert.Equal(0, await DifferentWindows(stand));
    }

    // It reads all readings, which takes longer than a command may by default.
    private static async Task<long> DifferentWindows(ProcessorStand stand)
    {
        await using var connection = await stand.Database.OpenConnection();
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FROM telemetry.window_check('4 days')", connection)
        { CommandTimeout = (int)Limit.TotalSeconds };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    // One transaction has one time: the rows that it wrote carry it.
    private async Task AssertTransactions(
        ProcessorStand stand, SealingGateway gateway, long readings, TimeSpan drained)
    {
        var frames = await stand.Database.Read(
            "SELECT stored_at::text, lane, first, stored FROM telemetry.frame_register",
            r => (At: r.GetString(0), Backlog: r.GetInt16(1) == (int)Lane.Backlog, First: r.GetInt64(2),
                Stored: r.GetInt32(3)));
        var parts = (await stand.Database.Read(
            "SELECT stored_at::text, count(*) FROM telemetry.window_part GROUP BY 1",
            r => (At: r.GetString(0), Count: r.GetInt64(1)))).ToDictionary(p => p.At, p => p.Count);
        var transactions = frames.GroupBy(f => f.At).Select(f => (
            Readings: f.Sum(frame => frame.Stored),
            Bytes: f.Where(frame => frame.Backlog).Sum(frame => (long)gateway.BacklogBytes[frame.First]),
            Parts: parts.GetValueOrDefault(f.Key))).ToArray();
        var limit = new ProcessorOptions().BatchReadingsMax + FrameReadings;
        output.WriteLine(
            $"{readings} readings of the gap in {drained.TotalSeconds:0.0} s, {transactions.Length} transactions; at "
            + $"most {transactions.Max(t => t.Readings)} readings (limit {limit}), {transactions.Max(t => t.Bytes)} "
            + $"bytes of backlog, {transactions.Max(t => t.Parts)} parts; most parts of any {parts.Values.Max()}");
        Assert.InRange(transactions.Max(t => t.Readings), 1, limit);
        Assert.InRange(transactions.Max(t => t.Bytes), 1, limit * BytesOfReading);

        // Some parts of live windows are written without a frame of theirs.
        Assert.InRange(parts.Values.Max(), 1, limit);
    }

    private async Task LiveAsync(
        SealingGateway gateway, SealingGateway[] others, StoreDelays delays, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var other in others)
            {
                delays.Sending($"{other.Gateway}", other.LiveSent + LiveReadings);
                await SendLive(other, Now());
            }

            await SendLive(gateway, Now());
            await Task.Delay(SendEvery, CancellationToken.None);
        }
    }

    private static Task SendLive(SealingGateway gateway, long time) => gateway.SendLive(Live(time), time);

    private static ReadingBatch Live(long time)
    {
        var batch = new ReadingBatch(LiveReadings);
        for (var series = 0; series < LiveReadings; series++)
        {
            batch.Add(series, time, time % 1000 / 8.0);
        }

        return batch;
    }

    private ReadingBatch Backlog(long first, int series, long readings, Random random)
    {
        var batch = new ReadingBatch(FrameReadings);
        for (var i = first; i < first + FrameReadings; i++)
        {
            var time = _returned - Gap + (long)(Gap / (double)readings * i);
            batch.Add((int)(i % series), time, random.Next(4000) / 100.0);
        }

        return batch;
    }

    private static async Task Until(ProcessorStand stand, string holds, CancellationToken cancellationToken)
    {
        var sql = $"SELECT coalesce(bool_and({holds}), false) FROM telemetry.gateway WHERE gateway = 'gw-000'";
        while (await stand.Database.Row(sql) != "True")
        {
            await Task.Delay(50, cancellationToken);
        }
    }

    private static string At(long micros) => $"timestamptz '1970-01-01Z' + {micros} * interval '1 microsecond'";

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
