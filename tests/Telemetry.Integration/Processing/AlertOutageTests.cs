using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Processing;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>
/// An outage of six hours with alarms in it, live first: afterwards the history on PostgreSQL is that of the same
/// readings in order.
/// </summary>
public sealed class AlertOutageTests
{
    private const long Second = 1_000_000, Minute = 60 * Second;
    private const int OutageMinutes = 360, Before = 30;

    private const string InsideSql = """
        SELECT string_agg(concat_ws(' ', id, metric, state, began_at, fired_at, ended_at, peak, revision), E'\n'
            ORDER BY began_at, metric)
        FROM telemetry.alerts WHERE metric IN ('m0', 'm2') AND ended_at IS NOT NULL
        """;

    private const string EventsSql = """
        SELECT string_agg(concat_ws(' ', e->>'metric', e->>'kind', e->>'late', e->>'revision'), ', ' ORDER BY number)
        FROM (SELECT number, convert_from(event, 'UTF8')::jsonb AS e FROM telemetry.alert_outbox) o WHERE
        """;

    private readonly long _start = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMinute * Minute
        - ((OutageMinutes + 60) * Minute);

    /// <summary>Alarms within the outage; m2 has a rule with <c>for</c>.</summary>
    private static readonly (int Metric, int From, int To)[] Inside =
        [(0, 60, 75), (0, 80, 81), (2, 100, 140), (2, 200, 203), (0, 340, 350)];

    private static ProcessorOptions Options => new()
    {
        Alerts = new AlertOptions
        {
            Rules = new AlertRules(
            [
                Rule("hot", "m0"), Rule("lasting", "m1"), Rule("outlasting", "m3"),
                Rule("slow", "m2") with { For = TimeSpan.FromMinutes(10) },
            ]),
            RunReadingsMax = 500,
        },
    };

    [ServersFact(nats: true, postgres: true)]
    public async Task Alarms_of_a_long_outage_become_the_history_of_an_ordered_run_and_page_nobody()
    {
        await using var stand = await ProcessorStand.Start(Options);
        var gateway = new SealingGateway(ProcessorStand.Gateway(0), 4, stand.Log);
        await gateway.SendSchema();
        await gateway.SendLive(Readings(0, Before), At(Before - 1));
        await stand.WaitUntilSettled(4 * Before);

        // The link is back: live comes first, and promises nothing that is not sent yet.
        gateway.BacklogSealed = 4 * OutageMinutes;
        await gateway.SendLive(Readings(Before + OutageMinutes, 5), At(Before));
        await stand.WaitUntilSettled(4 * (Before + 5));
        Assert.Equal("m1 firing false 0, m3 firing false 0", await Events(stand, "true"));
        var published = await stand.Database.Row("SELECT id FROM telemetry.alerts WHERE metric = 'm3'");

        for (var minute = 0; minute < OutageMinutes; minute += 60)
        {
            await gateway.SendBacklog(Readings(Before + minute, 60));
            await gateway.SendLive(
                Readings(Before + OutageMinutes + 5 + (minute / 60), 1), At(Before + OutageMinutes - 1));
        }

        await gateway.SendLive(Readings(Before + OutageMinutes + 11, 4), At(Before + OutageMinutes + 14));
        await stand.WaitUntilSettled(4 * (Before + OutageMinutes + 15));
        await gateway.SendLive(Readings(Before + OutageMinutes + 15, 1), At(Before + OutageMinutes + 15));
        await stand.Until(async () => await stand.Database.Row(
            "SELECT count(*) FROM telemetry.alert_state WHERE gap_from IS NOT NULL") == "0");

        // The same readings in order, in another database.
        await using var ordered = await ProcessorStand.Start(Options);
        var other = new SealingGateway(ProcessorStand.Gateway(0), 4, ordered.Log);
        await other.SendSchema();
        for (var minute = 0; minute < Before + OutageMinutes + 16; minute++)
        {
            await other.SendLive(Readings(minute, 1), At(minute));
        }

        await ordered.WaitUntilSettled(4 * (Before + OutageMinutes + 16));
        Assert.Equal(await ordered.Database.Row(InsideSql), await stand.Database.Row(InsideSql));
        Assert.Equal($"{Inside.Length - 1}", await stand.Database.Row(
            "SELECT count(*) FROM telemetry.alerts WHERE metric IN ('m0', 'm2') AND late AND state = 'resolved'"));

        // What a run in order published of them was published, late.
        const string ids = "SELECT string_agg(id, ' ' ORDER BY id) FROM telemetry.alert_outbox WHERE "
            + "convert_from(event, 'UTF8')::jsonb->>'metric' IN ('m0', 'm2')";
        Assert.Equal(await ordered.Database.Row(ids), await stand.Database.Row(ids));
        Assert.DoesNotContain("false", await Events(stand, "e->>'metric' IN ('m0', 'm2')"));

        // Raised once, before the outage, and never anything else.
        Assert.Equal("m1 firing false 0", await Events(stand, "e->>'metric' = 'm1'"));

        // It began in the outage and outlasts it: the published instance is revised, and stays raised.
        Assert.Equal("m3 firing false 0, m3 revised true 1", await Events(stand, "e->>'metric' = 'm3'"));
        Assert.Equal(
            $"{published}|firing|1",
            await stand.Database.Row("SELECT id, state, revision FROM telemetry.alerts WHERE metric = 'm3'"));
        const string began = "SELECT began_at, fired_at FROM telemetry.alerts WHERE metric = 'm3'";
        Assert.Equal(await ordered.Database.Row(began), await stand.Database.Row(began));
    }

    private static Task<string> Events(ProcessorStand stand, string which) =>
        stand.Database.Row($"{EventsSql} {which}");

    private long At(int minute) => _start + (minute * Minute);

    private ReadingBatch Readings(int first, int minutes)
    {
        var batch = new ReadingBatch();
        for (var minute = first; minute < first + minutes; minute++)
        {
            for (var metric = 0; metric < 4; metric++)
            {
                batch.Add(metric, At(minute), Value(metric, minute - Before));
            }
        }

        return batch;
    }

    private static double Value(int metric, int minute) => metric switch
    {
        1 => minute < -10 ? 1 : 20,
        3 => minute < 300 ? 1 : 30 + (minute % 5),
        _ => Inside.Any(a => a.Metric == metric && a.From <= minute && minute < a.To) ? 11 + (minute % 7) : 1,
    };

    private static AlertRule Rule(string name, string metric) => new()
    {
        Name = name,
        Severity = "critical",
        Match = new AlertMatch(NamePattern.Any, NamePattern.Any, new NamePattern(metric), []),
        Side = AlertSide.Above,
        Threshold = 10,
        Clear = 5,
    };
}
