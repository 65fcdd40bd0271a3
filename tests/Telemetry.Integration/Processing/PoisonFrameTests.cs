using System.Diagnostics;
using Npgsql;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.TestKit.Servers;
using Xunit.Abstractions;

namespace Telemetry.Integration.Processing;

/// <summary>Frames that the real database refuses, and trouble that is no frame's fault.</summary>
public sealed class PoisonFrameTests(ITestOutputHelper output)
{
    private const int Others = 200;

    private const string NoThirteen = "ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)";

    private const string EndWaitingSession = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'
        """;

    private const string NoThirteenByTrigger = """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.f = 13 THEN RAISE 'no thirteen' USING ERRCODE = '22003'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON telemetry.reading FOR EACH ROW EXECUTE FUNCTION refuse()
        """;

    [ServersTheory(nats: true, postgres: true)]
    [InlineData(NoThirteen, "23514", 5)]
    [InlineData(NoThirteenByTrigger, "22003", 5)]
    public async Task Those_behind_a_frame_that_COPY_refuses_do_not_wait(
        string constraint, string sqlState, int faultsMax)
    {
        await using var stand = await ProcessorStand.Start();
        await SaySchemas(stand);
        await stand.Database.Execute(constraint);
        var (commits, clock) = (stand.Counters.Commits, Stopwatch.StartNew());

        await stand.SendFloats(ProcessorStand.Gateway(0), 12, 13, 14, 13, 15);
        for (var i = 1; i <= Others; i++)
        {
            await stand.SendFloats(ProcessorStand.Gateway(i), i + 100, i + 101);
        }

        var sent = clock.Elapsed;
        await stand.Until(async () => await stand.Database.Row(
            "SELECT count(*) FROM telemetry.gateway WHERE stored = 2") == $"{Others}");
        output.WriteLine(
            $"{Others} frames of other gateways: sent in {sent.TotalMilliseconds:0} ms, stored "
            + $"{(clock.Elapsed - sent).TotalMilliseconds:0} ms "
            + $"after the last was sent; {stand.Counters.Commits - commits} transactions, {stand.Counters.DataFaults} "
            + "refused");

        await stand.WaitUntilSettled(5 + (2 * Others));
        Assert.InRange(stand.Counters.DataFaults, 1, faultsMax);
        Assert.Equal(0, stand.Counters.Errors);
        Assert.Equal($"{3 + (2 * Others)}|2|0", await stand.Books());
        Assert.Equal("2|True", await stand.Database.Row(
            $"SELECT count(*), bool_and(reason = 5 AND readings = 1 AND error LIKE '{sqlState} %') FROM "
            + "telemetry.dead_letter"));
        var verdict = await stand.Judge();
        Assert.True(verdict.Balanced, verdict.ToString());
    }

    [ServersTheory(nats: true, postgres: true)]
    [InlineData("ALTER TABLE telemetry.frame_register ADD CHECK (count <> 5)", "403|5|0")]
    [InlineData("ALTER TABLE telemetry.drop_declaration ADD CHECK (false)", "403|5|0")]
    public async Task Frame_whose_other_rows_are_refused_blocks_nobody(string constraint, string books)
    {
        await using var stand = await ProcessorStand.Start();
        await SaySchemas(stand);
        await stand.Database.Execute(constraint);
        var batch = new ReadingBatch();
        Array.ForEach([1L, 2, 3], time => batch.Add(0, 1_700_000_000_000_000 + time, 1.0));

        await stand.SendFrame(
            ProcessorStand.Gateway(0), batch, new Declaration(1, 2, 1, 9, DropReason.Test));
        await stand.SendFloats(ProcessorStand.Gateway(0), 1, 2, 3);
        for (var i = 1; i <= Others; i++)
        {
            await stand.SendFloats(ProcessorStand.Gateway(i), i, i + 0.5);
        }

        await stand.WaitUntilSettled(8 + (2 * Others));
        Assert.Equal(books, await stand.Books());
        Assert.Equal(0, stand.Counters.Errors);
        Assert.Equal(
            "1|5|4",
            await stand.Database.Row("SELECT count(*), max(readings), max(content) FROM telemetry.dead_letter"));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Series_that_are_refused_block_nobody()
    {
        await using var stand = await ProcessorStand.Start();
        await stand.Database.Execute("ALTER TABLE telemetry.series ADD CHECK (gateway <> 'gw-000')");

        await SaySchemas(stand);
        await stand.SendFloats(ProcessorStand.Gateway(0), 1);
        await stand.SendFloats(ProcessorStand.Gateway(1), 1, 2);

        await stand.WaitUntilSettled(3);
        Assert.Equal("2|1|0", await stand.Books());
        Assert.Equal(
            "2|1", await stand.Database.Row("""
                SELECT count(*) FILTER (WHERE readings = 0), count(*) FILTER (WHERE readings = 1)
                FROM telemetry.dead_letter WHERE error LIKE '%23514%' AND gateway = 'gw-000'
                """));
    }

    [ServersTheory(nats: true, postgres: true)]
    [InlineData("53100")]
    [InlineData("53200")]
    [InlineData("40P01")]
    [InlineData("25006")]
    public async Task Trouble_of_the_server_rejects_nothing_and_is_waited_out(string sqlState)
    {
        await using var stand = await ProcessorStand.Start(new() { RetryAfter = TimeSpan.FromMilliseconds(50) });
        await SaySchemas(stand);
        await stand.Database.Execute($$"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE 'trouble' USING ERRCODE = '{{sqlState}}'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON telemetry.reading FOR EACH ROW EXECUTE FUNCTION fail()
            """);

        await stand.SendFloats(ProcessorStand.Gateway(1), 1, 2);
        await stand.Until(() => Task.FromResult(stand.Counters.Errors >= 3));

        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.dead_letter"));
        await stand.Database.Execute("DROP TRIGGER fail ON telemetry.reading");
        await stand.WaitUntilSettled(2);
        Assert.Equal("2|0|0", await stand.Books());
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Lock_and_ended_session_reject_nothing_and_are_waited_out()
    {
        await using var stand = await ProcessorStand.Start(new() { RetryAfter = TimeSpan.FromMilliseconds(50) });
        await SaySchemas(stand);
        var name = new NpgsqlConnectionStringBuilder(stand.Database.ConnectionString).Database;
        await stand.Database.Execute($"ALTER DATABASE {name} SET lock_timeout = '200ms'");
        await stand.Database.Row("""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """);
        await using (var holder = await stand.Database.OpenConnection())
        {
            await using var locking = new NpgsqlCommand("BEGIN; LOCK TABLE telemetry.reading", holder);
            await locking.ExecuteNonQueryAsync();
            await stand.SendFloats(ProcessorStand.Gateway(1), 1, 2);
            await stand.Until(() => Task.FromResult(stand.Counters.Errors >= 2));
            await stand.Until(async () => await stand.Database.Row(EndWaitingSession) != "0");
            var errors = stand.Counters.Errors;
            await stand.Until(() => Task.FromResult(stand.Counters.Errors > errors));
        }

        await stand.WaitUntilSettled(2);
        Assert.Equal("2|0|0", await stand.Books());
        Assert.Equal(0, stand.Counters.DataFaults);
    }

    private static async Task SaySchemas(ProcessorStand stand)
    {
        for (var i = 0; i <= Others; i++)
        {
            await stand.SendSchema(ProcessorStand.Gateway(i));
        }

        await stand.Until(async () => int.Parse(
            await stand.Database.Row("SELECT count(*) FROM telemetry.schema_message"), null) >= Others);
    }
}
