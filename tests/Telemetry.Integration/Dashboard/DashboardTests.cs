using System.Net;
using System.Text.Json;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Dashboard;

/// <summary>The dashboard on real servers, with real agents: what it shows equals what SQL says.</summary>
public sealed class DashboardTests
{
    [ServersFact(nats: true, postgres: true)]
    public async Task Fleet_equals_SQL_also_after_the_dashboard_NATS_and_the_agents_were_away()
    {
        await using var stand = await DashboardStand.Start(gateways: 3);
        await stand.Sql("""
            INSERT INTO telemetry.device_metadata (gateway, device, site, labels)
            VALUES ('gw-02', 'd', 'Basel', '{"line": "2"}') RETURNING gateway
            """);
        var agents = await stand.StartAgents(3);
        try
        {
            var fleet = await stand.Until(
                "/api/fleet", f => Count(f, "fresh") == 3 && Text(f.GetProperty("behind"), "what") == "nothing"
                    && f.GetProperty("rows").EnumerateArray().All(
                        row => row.GetProperty("clockOffsetSeconds").ValueKind == JsonValueKind.Number));
            foreach (var row in fleet.GetProperty("rows").EnumerateArray())
            {
                Assert.True(row.GetProperty("connected").GetBoolean());
                Assert.StartsWith("0.", Text(row, "version"), StringComparison.Ordinal);
                Assert.InRange(row.GetProperty("clockOffsetSeconds").GetDouble(), -5, 0.5);
            }

            // Presence is kept, and people may read it.
            await stand.Until("/api/fleet", async _ => await stand.Sql(
                "SELECT count(*) FROM telemetry.presence WHERE connected AND agent_version LIKE '0.%'") == "3");

            // The dashboard goes and comes: it has everything from SQL.
            await stand.Dashboard.Process.Kill();
            await stand.Dashboard.Start();
            await stand.Dashboard.WaitUntilReady();
            await stand.Until("/api/fleet", f => Count(f, "fresh") == 3);

            // NATS is away for a while: the page says so, and then has what it missed.
            await stand.Nats.Kill();
            await stand.Until("/api/fleet", f => Text(f.GetProperty("behind"), "what") == "nats");
            await stand.Nats.Restart();
            await stand.Until("/api/fleet", f => Text(f.GetProperty("behind"), "what") == "nothing");
            await stand.Until("/api/fleet", f => Count(f, "fresh") == 3);
        }
        finally
        {
            await agents.Stop(within: TimeSpan.FromSeconds(30));
            await agents.DisposeAsync();
        }

        await stand.Until("/api/fleet", f => Count(f, "offline") == 3);
        await EqualsSql(stand);
        await AnswersEverything(stand);
    }

    private static async Task EqualsSql(DashboardStand stand)
    {
        const string Sql = """
            SELECT string_agg(concat_ws('|', b.gateway, b.partition, b.accepted, b.stored, b.rejected, b.dropped,
                b.lost, b.on_the_way, to_char(b.watermark AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
                p.connected, p.agent_version), E'\n' ORDER BY b.gateway)
            FROM telemetry.books b JOIN telemetry.presence p USING (gateway)
            """;
        var expected = "";
        await stand.Until("/api/fleet?sort=name", async fleet =>
        {
            expected = await stand.Sql(Sql);
            return expected == string.Join('\n', fleet.GetProperty("rows").EnumerateArray().Select(row => string.Join(
                '|', Text(row, "name"), row.GetProperty("partition"),
                row.GetProperty("accepted"), row.GetProperty("stored"),
                row.GetProperty("rejected"), row.GetProperty("dropped"), row.GetProperty("lost"),
                row.GetProperty("atRisk"),
                row.GetProperty("watermark").GetDateTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffff", null),
                row.GetProperty("connected").GetBoolean() ? "t" : "f", Text(row, "version"))));
        });
        Assert.Contains("gw-03|", expected, StringComparison.Ordinal);
    }

    private static async Task AnswersEverything(DashboardStand stand)
    {
        var gateway = await stand.Json("/api/gateways/gw-02");
        Assert.Equal("gw-02", Text(gateway.GetProperty("now"), "name"));
        var stored = gateway.GetProperty("stored");
        Assert.Equal(
            await stand.Sql("SELECT stored FROM telemetry.books WHERE gateway = 'gw-02'"),
            $"{stored.GetProperty("books").GetProperty("stored")}");
        Assert.Equal(HttpStatusCode.NotFound, (await stand.Get("/api/gateways/none")).Status);
        Assert.Equal(1, (await stand.Json("/api/fleet?site=Basel")).GetProperty("matched").GetInt32());
        Assert.Equal(1, (await stand.Json("/api/fleet?label=line%3D2&search=02")).GetProperty("matched").GetInt32());
        Assert.Equal(0, (await stand.Json("/api/fleet?state=fork,fresh")).GetProperty("matched").GetInt32());
        Assert.Equal(HttpStatusCode.BadRequest, (await stand.Get("/api/fleet?sort=colour")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await stand.Get("/api/fleet?sorted=name")).Status);

        var series = (await stand.Json("/api/series?gateway=gw-01")).EnumerateArray().First();
        var number = series.GetProperty("series").GetInt32();
        foreach (var kind in new[] { "readings", "windows", "hour", "day" })
        {
            var values = (await stand.Json($"/api/series/{number}?kind={kind}&from=2020-01-01T00:00:00Z"))
                .GetProperty("values");
            // Windows may be in a processor's memory still.
            Assert.True(values.GetArrayLength() > 0 || kind != "readings", kind);
            var (_, csv) = await stand.Get($"/api/series/{number}?kind={kind}&from=2020-01-01T00:00:00Z&format=csv");
            Assert.Equal(values.GetArrayLength() + 1, csv.Trim().Split('\n').Length);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await stand.Get("/api/series/2000000000")).Status);
        Assert.Equal(
            await stand.Sql("SELECT sum(stored) FROM telemetry.books"),
            $"{(await stand.Json("/api/books")).GetProperty("total").GetProperty("stored")}");
        Assert.Equal(
            await stand.Sql("SELECT sum(stored) FROM telemetry.books"),
            $"{(await stand.Json("/api/books/days")).EnumerateArray().Sum(d => d.GetProperty("stored").GetInt64())}");
        Assert.Equal(2, (await stand.Json("/api/pipeline")).GetProperty("partitions").GetArrayLength());
        Assert.Equal(0, (await stand.Json("/api/alerts")).GetArrayLength());
        Assert.Equal(0, (await stand.Json("/api/alerts?state=history&gateway=gw-01")).GetArrayLength());
    }

    private static int Count(JsonElement fleet, string state) =>
        fleet.GetProperty("states").GetProperty(state).GetInt32();

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
