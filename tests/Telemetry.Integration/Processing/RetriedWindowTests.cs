using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Processing.Windows;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>Windows into which dead letters are retried, with a processor at work beside the command.</summary>
public sealed class RetriedWindowTests
{
    private const string Constraint = "ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)";
    private const string NoConstraint = "ALTER TABLE telemetry.reading DROP CONSTRAINT no_thirteen";
    private const long Second = 1_000_000, Minute = 60 * Second;
    private const string Windows = """
        SELECT w.readings, w.sum, w.complete, w.revision, m.parts
        FROM telemetry.windows w JOIN telemetry.window_merged m USING (series, start) ORDER BY start LIMIT 1
        """;

    private const string Wrong = "SELECT count(*) FROM telemetry.window_check('100 years')";

    private static readonly GatewayId Gateway = ProcessorStand.Gateway(1);

    /// <summary>The start of the minute before the last one.</summary>
    private readonly long _start = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMinute * Minute
        - (2 * Minute);

    [ServersFact(nats: true, postgres: true)]
    public async Task Complete_window_gets_a_revision_that_names_the_letters_frame()
    {
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(Gateway);
        await stand.Database.Execute(Constraint);
        await Send(stand, _start, 12, 13, 14, 13);
        stand.Promised = _start + Minute;
        await Send(stand, _start + Minute, 1);
        await stand.WaitUntilSettled(5);
        Assert.Equal("2|26|True|0|1", await stand.Database.Row(Windows));

        await Retry(stand);

        Assert.Equal("4|52|True|1|2", await stand.Database.Row(Windows));
        Assert.Equal(
            "retried|2|26|gw-001/9/live/1+4",
            await stand.Database.Row("SELECT cause, readings, sum, frame FROM telemetry.window_revisions"));
        Assert.Equal("0", await stand.Database.Row(Wrong));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Window_in_the_owners_memory_is_folded_anew_and_is_complete_with_the_retried_reading()
    {
        // The owner commits only what arrives, so that it notices the retry when the next frame does.
        // It folds two readings anew in each transaction.
        await using var stand = await ProcessorStand.Start(new()
        {
            Lease = TimeSpan.FromMinutes(10),
            RenewEvery = TimeSpan.FromMinutes(5),
            Windows = new WindowOptions { RebuildReadingsMax = 2 },
        });
        await stand.SendSchema(Gateway);
        await stand.Database.Execute(Constraint);
        await Send(stand, _start, 12, 13, 14);
        await stand.WaitUntilSettled(3);
        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.window_part"));

        await Retry(stand);

        // The owner's memory lacks the retried reading, and the part of that is in the table.
        Assert.Equal("1", await stand.Database.Row("SELECT sum(readings) FROM telemetry.window_part"));
        await Send(stand, _start + 10, 7);
        await stand.Until(() => Task.FromResult(stand.Counters.Windows is { Rebuilt: > 0, Waiting: 0 }));
        await stand.Until(async () => await stand.Database.Row("SELECT count(*) FROM telemetry.window_part") == "0");
        stand.Promised = _start + Minute;
        await Send(stand, _start + Minute, 1);
        await stand.WaitUntilSettled(5);

        Assert.Equal("4|46|True|0|1", await stand.Database.Row(Windows));
        Assert.Equal("0", await stand.Database.Row(Wrong));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Width_of_a_retried_readings_window_is_that_of_its_own_time()
    {
        await using var stand = await ProcessorStand.Start();
        var change = _start / (5 * Minute) * (5 * Minute);
        await stand.SendSchema(Gateway);
        await stand.Database.Execute(Constraint);
        await Send(stand, change - Minute, 13);
        await Send(stand, change, 13);
        await stand.WaitUntilSettled(2);
        await stand.Database.Execute($"""
            INSERT INTO telemetry.window_width (metric, width_seconds, valid_from, added_at, added_by)
            VALUES ('fl*', 10, to_timestamp({change / Second}), now(), 'a test')
            """);

        await Retry(stand);

        Assert.Equal(
            "60,10",
            await stand.Database.Row(
                "SELECT string_agg(width::text, ',' ORDER BY start) FROM telemetry.window_merged"));
    }

    private static Task Send(ProcessorStand stand, long first, params double[] values)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, first + i, values[i]);
        }

        return stand.SendFrame(Gateway, batch);
    }

    private static async Task Retry(ProcessorStand stand)
    {
        await stand.Database.Execute(NoConstraint);
        var (code, text) = await DeadLetterRetryTests.Run(stand, "retry", "--reason", "database");
        Assert.True(code == 0, text);
    }
}
