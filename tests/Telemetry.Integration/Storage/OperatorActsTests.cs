using System.Text;
using System.Text.Json;
using Npgsql;
using Telemetry.Storage;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;
using Telemetry.Storage.Postgres.Acts;
using Telemetry.Storage.Postgres.Fleet;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>What people do with alerts, what the audit has of it, and who may act on what.</summary>
public sealed class OperatorActsTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>, IAsyncLifetime
{
    private static readonly Actor All = new("otto", SiteLimit.None), OfA = new("anna", SiteLimit.Of(["A"]));

    private PostgresDatabase _database = null!;
    private OperatorActs _acts = null!;
    private FleetQueries _queries = null!;

    public async Task InitializeAsync()
    {
        _database = await PostgresDatabase.Create(fixture.ConnectionString);
        _acts = new OperatorActs(
            _database.ConnectionString, new ReadingCheck(DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        _queries = new FleetQueries(_database.ConnectionString);
        await AlertSample.Add(_database);
    }

    public async Task DisposeAsync()
    {
        await _acts.DisposeAsync();
        await _queries.DisposeAsync();
        await _database.DisposeAsync();
    }

    [ServersFact(postgres: true)]
    public async Task Of_many_acknowledges_at_once_one_is_done_and_there_is_one_row_of_each_kind()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            () => Acknowledge(new Actor($"user{i}", SiteLimit.None), 1, 0, "mine"))));

        Assert.Equal(1, outcomes.Count(o => o.Result == ActResult.Done));
        Assert.Equal(7, outcomes.Count(o => o.Result == ActResult.Conflict));
        Assert.Equal("1", await _database.Row("SELECT count(*) FROM telemetry.alert_act"));
        Assert.Equal("1", await _database.Row(
            "SELECT count(*) FROM telemetry.operator_act o JOIN telemetry.alert_act a "
            + "ON o.operator LIKE a.actor || ' (database user %' AND o.note = a.comment AND o.at = a.at "
            + "WHERE o.act = 'alert acknowledge' AND o.gateway = 'gw-a'"));
        var late = await Acknowledge(All, 1, 0, "late");
        var by = await _database.Row("SELECT actor FROM telemetry.alert_act");
        Assert.Equal($"the alert was acknowledged by {by}", late.Why);
    }

    [ServersFact(postgres: true)]
    public async Task Acknowledge_of_what_is_not_any_more_so_is_a_conflict()
    {
        await _database.Execute("UPDATE telemetry.alert SET revision = 2");
        var old = await Acknowledge(All, 1, 1, "seen before");
        Assert.Equal(new ActOutcome(ActResult.Conflict, "the alert was revised: its revision is 2"), old);
        Assert.Equal(ActOutcome.Done, await Acknowledge(All, 1, 2, "seen"));

        await AlertSample.Resolve(_database, 2);
        Assert.Equal(
            new ActOutcome(ActResult.Conflict, "the alert is resolved"), await Acknowledge(All, 2, 2, "too late"));
        Assert.Equal(ActResult.NotFound, (await Acknowledge(All, 99, 0, "none")).Result);
        Assert.Equal("1", await _database.Row("SELECT count(*) FROM telemetry.operator_act"));
    }

    [ServersFact(postgres: true)]
    public async Task Acknowledged_alert_does_not_hide_the_next_one_of_its_series()
    {
        const string Comment = "<script>alert(1)</script> 'quoted\" \u0000";
        await Acknowledge(All, 1, 0, Comment);
        var one = Assert.Single(await Firing("gw-a", SiteLimit.None));
        Assert.Equal("otto", one.GetProperty("acknowledged").GetProperty("by").GetString());
        Assert.Equal(
            Comment.Replace('\0', '\uFFFD'), one.GetProperty("acknowledged").GetProperty("comment").GetString());

        await AlertSample.Resolve(_database, 1);
        Assert.Empty(await Firing("gw-a", SiteLimit.None));
        await AlertSample.Fire(_database, 1, "gw-a", 101);

        var next = Assert.Single(await Firing("gw-a", SiteLimit.None));
        Assert.Equal(JsonValueKind.Null, next.GetProperty("acknowledged").ValueKind);
        Assert.Equal(ActOutcome.Done, await Acknowledge(All, 101, 0, "again"));
    }

    [ServersFact(postgres: true)]
    public async Task Acts_are_only_ever_added()
    {
        await Acknowledge(All, 1, 0, "seen");
        foreach (var sql in new[]
        {
            "UPDATE telemetry.alert_act SET comment = ''", "DELETE FROM telemetry.alert_act",
            "TRUNCATE telemetry.alert_act",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => _database.Execute(sql));
            Assert.Contains("only ever added", refused.MessageText, StringComparison.Ordinal);
        }
    }

    [ServersTheory(postgres: true)]
    [InlineData("""{"rule":"hot"}""", "gw-a,gw-ab,gw-b")]
    [InlineData("""{"gateway":"gw-a","severity":"critical"}""", "gw-a")]
    [InlineData("""{"device":"pump","metric":"temp","labels":{"side":"left"}}""", "gw-a,gw-ab,gw-b")]
    [InlineData("""{"labels":{"side":"right"}}""", "")]
    [InlineData("""{"rule":"hot","site":"A"}""", "")]
    [InlineData("""{"rule":"cold"}""", "")]
    public async Task Silence_holds_for_alerts_that_have_each_property_until_it_ends(string matcher, string gateways)
    {
        var id = await Silence(All, matcher);
        Assert.Equal(gateways, string.Join(',', await Silenced()));

        Assert.Equal(ActOutcome.Done, await _acts.EndSilenceAsync(All, id, default));
        Assert.Equal(ActResult.Conflict, (await _acts.EndSilenceAsync(All, id, default)).Result);

        Assert.Empty(await Silenced());
        Assert.Equal("[]", Encoding.UTF8.GetString(await _acts.SilencesAsync(SiteLimit.None, default)));
        Assert.Equal(
            "alert silence,alert silence end",
            await _database.Row("SELECT string_agg(act, ',' ORDER BY id) FROM telemetry.operator_act"));
    }

    [ServersFact(postgres: true)]
    public async Task Silence_ends_by_its_time()
    {
        await _acts.SilenceAsync(
            All, new Silence("""{"rule":"hot"}"""u8.ToArray(), "r", DateTime.UtcNow.AddSeconds(-1)), default);

        Assert.Empty(await Silenced());
    }

    [ServersFact(postgres: true)]
    public async Task Who_sees_one_site_acts_on_that_alone()
    {
        Assert.Equal(ActOutcome.Done, await Acknowledge(OfA, 1, 0, "mine"));
        Assert.Equal(ActResult.NotFound, (await Acknowledge(OfA, 2, 0, "not mine")).Result);
        Assert.Equal(ActResult.NotFound, (await Acknowledge(OfA, 3, 0, "of two sites")).Result);
        var letter = long.Parse(
            await _database.Row("SELECT id FROM telemetry.dead_letter WHERE gateway = 'gw-b'"), null);
        Assert.Equal(ActResult.NotFound, (await _acts.RetryAsync(OfA, letter, default)).Result);
        Assert.Equal(ActResult.Conflict, (await _acts.RetryAsync(All, letter, default)).Result);

        var all = await Silence(All, """{"rule":"hot"}""");
        Assert.Equal(ActResult.NotFound, (await _acts.EndSilenceAsync(OfA, all, default)).Result);
        Assert.Equal("[]", Encoding.UTF8.GetString(await _acts.SilencesAsync(OfA.Limit, default)));
        Assert.Equal(ActOutcome.Done, await _acts.EndSilenceAsync(All, all, default));

        // A matcher that names no site silences alerts of the actor's sites alone.
        await Silence(OfA, """{"rule":"hot"}""");
        Assert.Equal(["gw-a"], await Silenced());
    }

    [ServersFact(postgres: true)]
    public async Task Reader_reads_the_alerts_while_a_silence_of_one_site_holds()
    {
        await Silence(OfA, """{"rule":"hot"}""");

        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SET ROLE telemetry_reader; SELECT string_agg(gateway, ',' ORDER BY gateway) FROM telemetry.alerts "
            + "WHERE silenced_until IS NOT NULL", connection);
        Assert.Equal("gw-a", await command.ExecuteScalarAsync());
    }

    [ServersFact(postgres: true)]
    public async Task Who_sees_one_site_is_told_of_no_gateway_alert_or_count_of_another_one()
    {
        var limit = SiteLimit.Of(["A"]);
        var asked = new AlertsAsked(true, null, null, DateTime.UtcNow.AddMinutes(1), 100) { Sites = limit };

        Assert.NotNull(await _queries.GatewayAsync("gw-a", limit, default));
        Assert.Null(await _queries.GatewayAsync("gw-b", limit, default));
        Assert.Null(await _queries.GatewayAsync("gw-ab", limit, default));
        Assert.NotNull(await _queries.GatewayAsync("gw-ab", SiteLimit.Of(["B", "A"]), default));
        var series = Json(await _queries.SeriesAsync(null, "", 100, limit, default));
        Assert.Equal("gw-a", Assert.Single(series.EnumerateArray()).GetProperty("gateway").GetString());
        Assert.Empty(Json(await _queries.SeriesAsync("gw-b", "", 100, limit, default)).EnumerateArray());
        foreach (var (gateway, isSeen) in new[] { ("gw-a", true), ("gw-b", false), ("gw-ab", false) })
        {
            var number = int.Parse(
                await _database.Row($"SELECT id FROM telemetry.series WHERE gateway = '{gateway}'"), null);
            foreach (var kind in new[] { "readings", "windows", "hour", "day" })
            {
                var values = await _queries.ValuesAsync(
                    new ValuesAsked(number, kind, DateTime.UtcNow.AddDays(-1), DateTime.UtcNow, 10) { Sites = limit },
                    default);
                Assert.Equal(isSeen, values is not null);
            }
        }

        Assert.Equal(["gw-a"], Gateways(await _queries.AlertsAsync(asked, default)));
        var history = Json(await _queries.AlertsAsync(asked with { Firing = false }, default));
        Assert.Equal(
            "gw-a", Assert.Single(history.EnumerateArray()).GetProperty("event").GetProperty("gateway").GetString());
        var books = Json(await _queries.BooksAsync("", 100, limit, default));
        Assert.Equal(1, books.GetProperty("total").GetProperty("gateways").GetInt32());
        Assert.Equal(100, books.GetProperty("total").GetProperty("stored").GetInt32());
        Assert.Equal(
            "gw-a", Assert.Single(books.GetProperty("gateways").EnumerateArray()).GetProperty("gateway").GetString());
        var days = Json(await _queries.DaysAsync(null, 14, limit, default));
        Assert.Equal(100, days.EnumerateArray().Sum(d => d.GetProperty("stored").GetInt32()));

        Assert.Equal(
            ["gw-a", "gw-ab", "gw-b"],
            Gateways(await _queries.AlertsAsync(asked with { Sites = SiteLimit.None }, default)));
        Assert.Equal(600, Json(await _queries.BooksAsync("", 100, SiteLimit.None, default)).GetProperty("total")
            .GetProperty("stored").GetInt32());
    }

    private static JsonElement Json(byte[]? answer) => JsonDocument.Parse(answer!).RootElement;

    private static IEnumerable<string> Gateways(byte[]? alerts) => Json(alerts).EnumerateArray()
        .Select(a => a.GetProperty("gateway").GetString()!).Order(StringComparer.Ordinal);

    private Task<ActOutcome> Acknowledge(Actor actor, int alert, int revision, string comment) =>
        _acts.AcknowledgeAsync(actor, Convert.FromHexString(AlertSample.Id(alert)), revision, comment, default);

    private Task<long> Silence(Actor actor, string matcher) => _acts.SilenceAsync(
        actor, new Silence(Encoding.UTF8.GetBytes(matcher), "works", DateTime.UtcNow.AddHours(1)), default);

    private async Task<List<JsonElement>> Firing(string? gateway, SiteLimit limit) => [.. Json(
        await _queries.AlertsAsync(
            new AlertsAsked(true, gateway, null, DateTime.UtcNow, 100) { Sites = limit }, default)).EnumerateArray()];

    private async Task<IEnumerable<string>> Silenced() => (await Firing(null, SiteLimit.None))
        .Where(a => a.GetProperty("silenced").ValueKind == JsonValueKind.Object)
        .Select(a => a.GetProperty("gateway").GetString()!).Order(StringComparer.Ordinal);
}
