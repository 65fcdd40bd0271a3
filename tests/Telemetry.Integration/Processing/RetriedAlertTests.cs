using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>Dead letters that are retried: alert rules are run again over their readings.</summary>
public sealed class RetriedAlertTests
{
    private const string Constraint = "ALTER TABLE telemetry.reading ADD CONSTRAINT no_thirteen CHECK (f <> 13)";
    private const string NoConstraint = "ALTER TABLE telemetry.reading DROP CONSTRAINT no_thirteen";
    private const long Second = 1_000_000;

    private static readonly GatewayId Gateway = ProcessorStand.Gateway(1);

    [ServersFact(nats: true, postgres: true)]
    public async Task Reading_of_a_time_that_retention_removed_changes_no_history()
    {
        var start = ((DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond * Second) - (60 * Second);
        await using var stand = await ProcessorStand.Start(new() { Alerts = new AlertOptions { Rules = Rules } });
        await stand.SendSchema(Gateway);
        await stand.Database.Execute($"""
            INSERT INTO telemetry.retirement
            VALUES ('{Gateway}', 'flow', 0, to_timestamp({start / Second}), '-infinity')
            """);
        stand.Promised = start + (10 * Second);
        await Send(stand, start, 1, 11, 2);
        await Send(stand, start - (5 * Second), 20, 20);
        await stand.WaitUntilSettled(5);
        await stand.Until(async () => await stand.Database.Row(
            "SELECT count(*) FROM telemetry.alert_state WHERE gap_from IS NOT NULL") == "0");

        Assert.Equal(
            "1|11", await stand.Database.Row("SELECT count(*), max(peak) FROM telemetry.alerts"));
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Retried_reading_that_is_an_alarm_is_published_late()
    {
        var start = ((DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond * Second) - (60 * Second);
        await using var stand = await ProcessorStand.Start(new() { Alerts = new AlertOptions { Rules = Rules } });
        await stand.SendSchema(Gateway);
        await stand.Database.Execute(Constraint);
        stand.Promised = start + (10 * Second);
        await Send(stand, start, 1, 13, 13, 2);
        await stand.WaitUntilSettled(4);
        Assert.Equal("0", await stand.Database.Row("SELECT count(*) FROM telemetry.alerts"));

        await stand.Database.Execute(NoConstraint);
        var (code, text) = await DeadLetterRetryTests.Run(stand, "retry", "--reason", "database");
        Assert.True(code == 0, text);

        await stand.Until(async () => await stand.Database.Row("SELECT count(*) FROM telemetry.alerts") == "1");
        Assert.Equal(
            "resolved|True|13|0|00:00:02",
            await stand.Database.Row("SELECT state, late, peak, revision, ended_at - began_at FROM telemetry.alerts"));
        Assert.Equal("0", await stand.Database.Row(
            "SELECT count(*) FROM telemetry.alert_state WHERE gap_from IS NOT NULL"));
    }

    private static AlertRules Rules => new(
    [
        new AlertRule
        {
            Name = "hot",
            Severity = "critical",
            Match = new AlertMatch(NamePattern.Any, NamePattern.Any, new NamePattern("flow"), []),
            Side = AlertSide.Above,
            Threshold = 10,
            Clear = 5,
        },
    ]);

    private static Task Send(ProcessorStand stand, long first, params double[] values)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, first + (i * Second), values[i]);
        }

        return stand.SendFrame(Gateway, batch);
    }
}
