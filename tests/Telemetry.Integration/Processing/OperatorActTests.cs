using Telemetry.Cloud.Commands.DeadLetters;
using Telemetry.Cloud.Commands.Forks;
using Telemetry.Cloud.Configuration;
using Telemetry.Storage;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Acts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>What operators do with the books, beside a processor at work, and what the audit says of it.</summary>
public sealed class OperatorActTests
{
    [ServersFact(nats: true, postgres: true)]
    public async Task Resolved_fork_is_shown_no_more_while_its_owner_goes_on_and_the_audit_says_why()
    {
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.SendFloats(ProcessorStand.Gateway(1), 1, 2);
        await stand.WaitUntilSettled(2);
        await stand.Database.Execute("""
            UPDATE telemetry.gateway SET fork = E'lineage: a\nagent: b';
            UPDATE telemetry.partition SET commits = commits + 1
            """);
        await stand.SendFloats(ProcessorStand.Gateway(1), 3);
        await stand.WaitUntilSettled(3);
        Assert.Contains("gw-001            agent: b\n", (await Forks(stand, "list")).Text, StringComparison.Ordinal);

        var (code, text) = await Forks(
            stand, "resolve", "gw-001", "--reason", "card-replaced", "--note", "ticket 815");

        Assert.Equal((0, "gw-001: resolved as card-replaced: lineage: a agent: b\n"), (code, text));
        await stand.SendFloats(ProcessorStand.Gateway(1), 4);
        await stand.WaitUntilSettled(4);
        Assert.Equal("4|0|0", await stand.Books());
        Assert.Equal("", await stand.Database.Row("SELECT fork FROM telemetry.gateway"));
        Assert.Equal("", (await Forks(stand, "list")).Text);
        Assert.Equal(
            "forks resolve|gw-001|card-replaced|ticket 815|0",
            await stand.Database.Row("SELECT act, gateway, reason, note, readings FROM telemetry.operator_act"));
        Assert.Equal(
            1, (await Forks(stand, "resolve", "gw-001", "--reason", "other", "--note", "again")).Code);
        Assert.Equal("1", await stand.Database.Row("SELECT count(*) FROM telemetry.operator_act"));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Discarded_letters_are_gone_and_their_readings_stay_rejected()
    {
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.Database.Execute("ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)");
        await stand.SendFloats(ProcessorStand.Gateway(1), 12, 13, 14, 13);
        await stand.WaitUntilSettled(4);
        Assert.Equal("2|2|0", await stand.Books());

        var (code, text) = await Letters(stand, "discard", "--gateway", "gw-001", "--note", "a broken sensor");

        Assert.Equal((0, "2 letters discarded; 2 readings stay rejected in the books\n"), (code, text));
        Assert.Equal("2|2|0", await stand.Books());
        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.dead_letter"));
        Assert.Equal(
            "dead-letters discard|gw-001|a broken sensor|2",
            await stand.Database.Row("SELECT act, gateway, note, readings FROM telemetry.operator_act"));
        Assert.Equal(1, (await Letters(stand, "discard", "999", "--note", "none")).Code);
        var verdict = await stand.Judge();
        Assert.True(verdict.Balanced, verdict.ToString());
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Letter_that_is_retried_on_the_dashboard_is_stored_once_and_the_audit_says_by_whom()
    {
        await using var stand = await ProcessorStand.Start();
        await stand.SendSchema(ProcessorStand.Gateway(1));
        await stand.Database.Execute("ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)");
        await stand.SendFloats(ProcessorStand.Gateway(1), 12, 13);
        await stand.WaitUntilSettled(2);
        var letter = long.Parse(await stand.Database.Row("SELECT id FROM telemetry.dead_letter"), null);
        await using var acts = new OperatorActs(
            stand.Database.ConnectionString, new ReadingCheck(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue));
        var actor = new Actor("otto", SiteLimit.None);

        var refused = await acts.RetryAsync(actor, letter, default);
        Assert.Equal(ActResult.Conflict, refused.Result);
        Assert.Contains("no_thirteen", refused.Why, StringComparison.Ordinal);
        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.operator_act"));
        await stand.Database.Execute("ALTER TABLE telemetry.reading DROP CONSTRAINT no_thirteen");

        var outcomes = await Task.WhenAll(
            acts.RetryAsync(actor, letter, default), acts.RetryAsync(actor, letter, default));

        Assert.Equal([ActResult.Done, ActResult.Conflict], outcomes.Select(o => o.Result).Order());
        Assert.Equal("2|0|0", await stand.Books());
        Assert.Equal(
            $"dead-letters retry|gw-001|1|letter {letter}|True",
            await stand.Database.Row(
                "SELECT act, gateway, readings, detail, operator LIKE 'otto (%' FROM telemetry.operator_act"));
        var verdict = await stand.Judge();
        Assert.True(verdict.Balanced, verdict.ToString());
    }

    private static CloudSettings Settings(ProcessorStand stand) => new()
    {
        Database = new PostgresStoreOptions { ConnectionString = stand.Database.ConnectionString },
    };

    private static async Task<(int Code, string Text)> Forks(ProcessorStand stand, params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var command = new ForksCommand(Settings(stand), output, output);
        var code = await ForksVerb.Create((arguments, _, stop) => command.RunAsync(arguments, stop))
            .Parse(words).InvokeAsync();
        return (code, output.ToString());
    }

    private static async Task<(int Code, string Text)> Letters(ProcessorStand stand, params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var command = new DeadLettersCommand(Settings(stand), output, output);
        var code = await DeadLettersVerb.Create(
            TimeProvider.System, (arguments, _, stop) => command.RunAsync(arguments, stop)).Parse(words).InvokeAsync();
        return (code, output.ToString());
    }
}
