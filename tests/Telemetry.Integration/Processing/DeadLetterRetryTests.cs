using System.Globalization;
using Npgsql;
using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Configuration;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>The command dead-letters, with a processor at work beside it.</summary>
public sealed class DeadLetterRetryTests
{
    private const string Constraint = "ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)";
    private const string NoConstraint = "ALTER TABLE telemetry.reading DROP CONSTRAINT no_thirteen";

    [ServersFact(nats: true, postgres: true)]
    public async Task Retry_moves_rejected_to_stored_beside_an_owner_that_goes_on_with_the_new_totals()
    {
        await using var stand = await ProcessorStand.Start();
        await SendBad(stand);
        Assert.Equal("6|3|0", await stand.Books());

        Assert.Equal(1, (await Run(stand, "retry", "--gateway", "gw-001", "--reason", "database")).Code);
        Assert.Equal("6|3|0", await stand.Books());
        await stand.Database.Execute(NoConstraint);
        var (code, text) = await Run(stand, "retry", "--gateway", "gw-001", "--reason", "database");

        Assert.Equal(0, code);
        Assert.EndsWith("2 readings stored, 0 letters unchanged\n", text, StringComparison.Ordinal);
        await stand.SendFloats(ProcessorStand.Gateway(1), 7);
        await stand.WaitUntilSettled(10);
        Assert.Equal("9|1|0", await stand.Books());
        Assert.True(stand.Counters.NotOwner > 0);
        Assert.Equal(
            "9|1", await stand.Database.Row("SELECT sum(stored), sum(rejected) FROM telemetry.frame_register"));
        await AssertBalanced(stand);
        Assert.Contains("stored at", (await Run(stand, "list", "--retried")).Text, StringComparison.Ordinal);
        Assert.Equal(1, (await Run(stand, "retry", "1")).Code);
        Assert.Equal("9|1|0", await stand.Books());
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Retry_registers_the_series_that_was_refused_and_its_owner_stores_the_next_reading()
    {
        await using var stand = await ProcessorStand.Start();
        var gateway = ProcessorStand.Gateway(1);
        await stand.Database.Execute("ALTER TABLE telemetry.series ADD CONSTRAINT no_flow CHECK (metric <> 'flow')");
        await stand.SendSchema(gateway);
        await stand.SendFloats(gateway, 1, 2);
        await stand.WaitUntilSettled(2);
        Assert.Equal("0|2|0", await stand.Books());
        Assert.Equal(1, (await Run(stand, "retry", "--gateway", "gw-001")).Code);
        await stand.Database.Execute("ALTER TABLE telemetry.series DROP CONSTRAINT no_flow");

        Assert.Equal(0, (await Run(stand, "retry", "--gateway", "gw-001", "--reason", "database")).Code);
        await stand.SendFloats(gateway, 3);
        await stand.WaitUntilSettled(3);

        Assert.Equal("3|0|0", await stand.Books());
        Assert.Equal(
            "3|1|1|3",
            await stand.Database.Row(
                "SELECT count(*), count(DISTINCT device), min(number), max(number) FROM telemetry.reading_plain"));
        await AssertBalanced(stand);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Live_frame_is_stored_while_letters_are_decoded()
    {
        await using var stand = await ProcessorStand.Start();
        await SendBad(stand);
        await stand.Database.Execute(NoConstraint);
        await using var database = NpgsqlDataSource.Create(stand.Database.ConnectionString);
        await using var blocker = await database.OpenConnectionAsync();
        await using var blocking = await blocker.BeginTransactionAsync();
        await using var locking = new NpgsqlCommand(
            "LOCK TABLE telemetry.series IN ACCESS EXCLUSIVE MODE", blocker, blocking);
        await locking.ExecuteNonQueryAsync();

        // A letter's decoding asks for its series, and so waits here.
        var retry = Run(stand, "retry", "--gateway", "gw-001", "--reason", "database");
        await stand.Until(async () => await stand.Database.Row(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'telemetry.series'::regclass") == "1");
        await stand.SendFloats(ProcessorStand.Gateway(1), 7);
        await stand.WaitUntilSettled(10);

        Assert.False(retry.IsCompleted);
        Assert.Equal("7|3|0", await stand.Books());
        await blocking.RollbackAsync();
        Assert.Equal(0, (await retry).Code);
        Assert.Equal("9|1|0", await stand.Books());
        await AssertBalanced(stand);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Many_readings_are_moved_in_several_transactions()
    {
        const int frames = 9, readings = 4000;
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.Database.Execute("ALTER TABLE telemetry.frame_register ADD CONSTRAINT odd CHECK (count <> 4000)");
        for (var i = 0; i < frames; i++)
        {
            await stand.SendFloats(ProcessorStand.Gateway(1), new double[readings]);
        }

        await stand.WaitUntilSettled(frames * readings);
        await stand.Database.Execute("ALTER TABLE telemetry.frame_register DROP CONSTRAINT odd");
        var (code, text) = await Run(stand, "retry", "--reason", "database");

        Assert.Equal(0, code);
        Assert.EndsWith("36000 readings stored, 0 letters unchanged\n", text, StringComparison.Ordinal);
        Assert.Equal("36000|0|0", await stand.Books());
        Assert.Equal(
            "9|2", await stand.Database.Row("SELECT count(*), count(DISTINCT retried_at) FROM telemetry.dead_letter"));
    }

    // Each transaction makes an owner at work give up all of its memory: at one a letter it gets nothing done.
    [ServersFact(nats: true, postgres: true)]
    public async Task One_letter_that_is_refused_does_not_make_all_others_transactions_of_their_own()
    {
        const int frames = 8, bad = 8;
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.Database.Execute("ALTER TABLE telemetry.reading ADD CONSTRAINT odd CHECK (f NOT IN (13, 14))");
        for (var frame = 0; frame < frames; frame++)
        {
            var odd = Enumerable.Repeat(13.0, bad).Select((value, i) => frame == 5 && i == 0 ? 14.0 : value);
            await stand.SendFloats(ProcessorStand.Gateway(1), [.. odd.SelectMany(value => new[] { value, 1.0 })]);
        }

        await stand.WaitUntilSettled(frames * bad * 2);
        Assert.Equal("64", await stand.Database.Row("SELECT count(*) FROM telemetry.dead_letter"));
        await stand.Database.Execute("""
            ALTER TABLE telemetry.reading DROP CONSTRAINT odd;
            ALTER TABLE telemetry.reading ADD CONSTRAINT odd CHECK (f <> 14)
            """);
        var (code, text) = await Run(stand, "retry", "--reason", "database");

        Assert.Equal(1, code);
        Assert.EndsWith("63 readings stored, 1 letters unchanged\n", text, StringComparison.Ordinal);
        Assert.Equal("127|1|0", await stand.Books());
        var transactions = await stand.Database.Row("SELECT count(DISTINCT retried_at) FROM telemetry.dead_letter");
        Assert.InRange(int.Parse(transactions, CultureInfo.InvariantCulture), 1, frames * bad / 4);
        await AssertBalanced(stand);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Retry_after_the_register_was_summed_up_changes_the_days_sum()
    {
        await using var stand = await ProcessorStand.Start();
        await SendBad(stand);
        await stand.Database.Execute(NoConstraint);
        await stand.Database.Execute("""
            INSERT INTO telemetry.frame_register_day
            SELECT gateway, (stored_at AT TIME ZONE 'UTC')::date, count(*), sum(stored), sum(rejected), sum(dropped),
                9223372036854775807 FROM telemetry.frame_register GROUP BY 1, 2;
            DELETE FROM telemetry.frame_register
            """);

        Assert.Equal(0, (await Run(stand, "retry", "--reason", "database")).Code);

        Assert.Equal(
            "8|1", await stand.Database.Row("SELECT sum(stored), sum(rejected) FROM telemetry.frame_register_day"));
        Assert.Equal("8|1|0", await stand.Books());
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task What_can_never_be_stored_says_so_and_changes_nothing()
    {
        await using var stand = await ProcessorStand.Start();
        await SendBad(stand);
        await stand.SendBytes(ProcessorStand.Gateway(2), [1, 2, 3]);
        await stand.Until(
            async () =>
                await stand.Database.Row("SELECT count(*) FROM telemetry.dead_letter WHERE readings = 0") == "1");

        var (code, text) = await Run(stand, "retry", "--gateway", "gw-001");

        Assert.Equal(1, code);
        Assert.Contains("unchanged: text with NUL", text, StringComparison.Ordinal);
        Assert.Contains("unchanged: retry dead letters: 23514", text, StringComparison.Ordinal);
        Assert.Equal("6|3|0", await stand.Books());
        Assert.Contains(
            "not in the books", (await Run(stand, "list", "--gateway", "gw-002", "--reason", "malformed")).Text,
            StringComparison.Ordinal);
        Assert.Contains(
            "not the id of a dead letter", (await Run(stand, "retry", "999")).Text, StringComparison.Ordinal);
        Assert.Equal(1, (await Run(stand, "show", "999")).Code);
        await AssertBalanced(stand);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Show_tells_series_time_value_and_bytes()
    {
        await using var stand = await ProcessorStand.Start();
        await SendBad(stand);
        var id = await stand.Database.Row("SELECT id FROM telemetry.dead_letter WHERE reason = 1");

        var (code, text) = await Run(stand, "show", id);

        Assert.Equal(0, code);
        Assert.Contains("""pump state, 2023-11-14T22:13:20.000500Z: "b\u0000d", bad""", text, StringComparison.Ordinal);
        Assert.Contains("  620064", text, StringComparison.Ordinal);
        Assert.Contains("reason      value", text, StringComparison.Ordinal);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Time_out_of_range_goes_through_once_the_range_is_wider()
    {
        await using var stand = await ProcessorStand.Start(
            new() { TimeFirst = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero) });
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.SendFloats(ProcessorStand.Gateway(1), 1, 2, 3);
        await stand.WaitUntilSettled(3);
        Assert.Equal("0|3|0", await stand.Books());

        Assert.Equal(0, (await Run(stand, "retry", "--reason", "time")).Code);

        Assert.Equal("3|0|0", await stand.Books());
        await AssertBalanced(stand);
    }

    [ServersTheory(nats: true, postgres: true)]
    [InlineData(
        "ALTER TABLE telemetry.frame_register ADD CONSTRAINT odd CHECK (count <> 5)", "telemetry.frame_register")]
    [InlineData(
        "ALTER TABLE telemetry.drop_declaration ADD CONSTRAINT odd CHECK (false)", "telemetry.drop_declaration")]
    public async Task Frame_that_was_rejected_whole_is_registered_with_what_it_declares(string constraint, string table)
    {
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.Database.Execute(constraint);
        var batch = new ReadingBatch();
        Array.ForEach([1L, 2, 3], time => batch.Add(0, 1_700_000_000_000_000 + time, 1.0));
        await stand.SendFrame(ProcessorStand.Gateway(1), batch, new Declaration(1, 2, 1, 9, DropReason.Test));
        await stand.WaitUntilSettled(5);
        Assert.Equal("0|5|0", await stand.Books());
        Assert.Equal(1, (await Run(stand, "retry", "--reason", "database")).Code);
        Assert.Equal("0|5|0", await stand.Books());

        await stand.Database.Execute($"ALTER TABLE {table} DROP CONSTRAINT odd");
        Assert.Equal(0, (await Run(stand, "retry", "--reason", "database")).Code);

        Assert.Equal("3|0|2", await stand.Books());
        Assert.Equal(
            "3|0|2", await stand.Database.Row("SELECT stored, rejected, dropped FROM telemetry.frame_register"));
        Assert.Equal("2", await stand.Database.Row("SELECT sum(readings) FROM telemetry.drop_declaration"));
    }

    /// <summary>Gateway 1: nine readings, of which two are refused by a constraint and one is text with NUL.</summary>
    private static async Task SendBad(ProcessorStand stand)
    {
        var gateway = ProcessorStand.Gateway(1);
        await stand.SendSchema(gateway);
        await stand.Database.Execute(Constraint);
        await stand.SendFloats(gateway, 12, 13, 14);
        await stand.SendFloats(gateway, 1, 13);
        var batch = new ReadingBatch();
        batch.Add(0, 1_700_000_000_000_100, 5.0);
        batch.Add(0, 1_700_000_000_000_101, 6.0);
        batch.AddText(1, 1_700_000_000_000_400, "good"u8);
        batch.AddText(1, 1_700_000_000_000_500, "b\0d"u8, (ReadingFlags)(byte)Quality.Bad);
        await stand.SendFrame(gateway, batch);
        await stand.WaitUntilSettled(9);
    }

    private static async Task AssertBalanced(ProcessorStand stand)
    {
        var verdict = await stand.Judge();
        Assert.True(verdict.Balanced, verdict.ToString());
    }

    internal static async Task<(int Code, string Text)> Run(ProcessorStand stand, params string[] words)
    {
        var settings = new CloudSettings
        {
            Database = new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString },
        };
        using var output = new StringWriter { NewLine = "\n" };
        var command = new DeadLettersCommand(settings, output, output);
        var code = await DeadLettersVerb.Create(
            TimeProvider.System, (arguments, _, stop) => command.RunAsync(arguments, stop)).Parse(words).InvokeAsync();
        return (code, output.ToString());
    }
}
