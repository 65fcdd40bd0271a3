namespace Telemetry.Integration.Dashboard;

/// <summary>The pages in a real browser, on a running system.</summary>
public sealed class PagesTests
{
    /// <summary>The environment's variable that names a folder for pictures of all pages, for people.</summary>
    private const string PicturesVariable = "TELEMETRY_TEST_PICTURES";

    private const string Markup = "<img src=x onerror=\"console.log('ran')\"><script>console.log('ran')</script>";

    [ChromiumFact]
    public async Task Pages_open_in_light_dark_and_narrow_and_nothing_that_a_gateway_says_runs()
    {
        await using var stand = await DashboardStand.Start(gateways: 3);
        await using var agents = await stand.StartAgents(2);
        await stand.Until("/api/fleet", f => f.GetProperty("states").GetProperty("fresh").GetInt32() == 2);
        await Poison(stand);
        var series = await stand.Sql("SELECT id FROM telemetry.series WHERE gateway = 'gw-01' AND type = 0 LIMIT 1");
        await stand.Dashboard.Process.Kill();
        await stand.Dashboard.Start();
        await stand.Dashboard.WaitUntilReady();
        await stand.Until("/api/fleet", f => f.GetProperty("gateways").GetInt32() == 3);
        await using var browser = await Browser.Start();

        (string Path, string Until)[] pages =
        [
            ("/", "document.querySelectorAll('.row:not([hidden])').length === 3"),
            ("/gateway?name=gw-01", "document.querySelectorAll('table').length >= 4"),
            ("/gateway?name=gw-03", "document.body.innerText.includes('console.log')"),
            ("/alerts", "document.body.innerText.includes('Alerts')"),
            ("/series?search=gw-01", "document.querySelectorAll('tbody tr').length > 0"),
            ($"/series?series={series}&kind=readings", "document.querySelector('.u-over') !== null"),
            // Its windows may be in the processor's memory still.
            ($"/series?series={series}&kind=windows&span=1+d", "document.querySelector('thead') !== null"),
            ("/books", "document.querySelectorAll('table').length === 3"),
            ("/pipeline", "document.querySelectorAll('table').length >= 2"),
            ("/runbook?name=gateway-offline", "document.body.innerText.includes('A gateway is offline')"),
        ];
        foreach (var (width, dark) in new[] { (1280, false), (1280, true), (390, false), (3840, true) })
        {
            foreach (var (path, until) in pages)
            {
                await browser.OpenAsync(stand.Address + path, until, width, 900, dark);
                Assert.Equal("True", await browser.TextAsync(
                    "document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
                if (Environment.GetEnvironmentVariable(PicturesVariable) is { Length: > 0 } folder)
                {
                    var name = path.TrimStart('/').Replace('/', '-').Replace('?', '-').Replace('&', '-');
                    await browser.PictureAsync(Path.Combine(folder, $"{width}-{(dark ? "dark" : "light")}-{name}.png"));
                }
            }
        }

        // The words of a state, and the same number as SQL.
        await browser.OpenAsync(stand.Address + "/gateway?name=gw-03", "document.querySelector('.notice') !== null");
        Assert.Contains(
            "What to do:", await browser.TextAsync("document.querySelector('.notice').innerText"),
            StringComparison.Ordinal);
        await browser.OpenAsync(stand.Address + "/books", "document.querySelectorAll('table').length === 3");
        Assert.Equal(
            await stand.Sql("SELECT count(*) FROM telemetry.books"),
            await browser.TextAsync("document.querySelectorAll('table')[2].tBodies[0].rows.length.toString()"));

        // By keyboard alone: into the list, down, and the gateway's page.
        await browser.OpenAsync(stand.Address + "/?sort=name", pages[0].Until);
        await browser.TextAsync("document.querySelector('.list').focus()");
        await browser.PressAsync("ArrowDown", 40);
        await browser.PressAsync("ArrowDown", 40);
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.querySelector('h1').innerText === 'Gateway gw-02'");

        Assert.Empty(browser.Console);

        // It would have been noticed.
        await browser.TextAsync("console.log('ran')");
        Assert.Contains("ran", Assert.Single(browser.Console), StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task Page_says_that_it_is_behind_while_NATS_or_the_dashboard_is_away_and_recovers()
    {
        await using var stand = await DashboardStand.Start(gateways: 1);
        await using var agents = await stand.StartAgents(1);
        await using var browser = await Browser.Start();
        await browser.OpenAsync(
            stand.Address, "document.querySelector('.row .state')?.innerText.startsWith('Fresh') === true");
        await browser.UntilAsync("document.getElementById('behind').hidden");

        await stand.Nats.Kill();
        await browser.UntilAsync(
            "document.getElementById('behind').innerText.includes('Nothing is heard of processors and ingresses')");
        await stand.Nats.Restart();
        await browser.UntilAsync("document.getElementById('behind').hidden");

        await stand.Dashboard.Process.Kill();
        await browser.UntilAsync(
            "document.getElementById('behind').innerText.includes('The dashboard does not answer')");
        await stand.Dashboard.Start();
        await browser.UntilAsync("document.getElementById('behind').hidden");
        await browser.UntilAsync("document.querySelector('.row .state').innerText.startsWith('Fresh')");
    }

    // Every field that a gateway or whoever imports devices controls.
    private static Task<string> Poison(DashboardStand stand) => stand.Sql($"""
        WITH text AS (SELECT $m${Markup}$m$::text AS m),
        described AS (
            INSERT INTO telemetry.device_metadata (gateway, device, site, location, labels)
            SELECT g, m, m, m, jsonb_build_object(m, m) FROM text, (VALUES ('gw-01'), ('gw-03')) v(g)),
        seen AS (
            INSERT INTO telemetry.gateway_presence
            SELECT 'gw-03', true, now(), 1, 1, m, '1 s', false, now() FROM text),
        ledger AS (
            INSERT INTO telemetry.gateway (gateway, partition, stored, rejected, dropped, lost, fork, changed_at)
            SELECT 'gw-03', 0, 0, 0, 0, 0, m, now() FROM text),
        letters AS (
            INSERT INTO telemetry.dead_letter (gateway, epoch, lane, first, count, reason, error, readings,
                series_identity, time_micros, bytes, stored_at)
            SELECT 'gw-03', 1, 1, 1, 1, 5, m, 1, '\x', 0, '\x', now() FROM text)
        UPDATE telemetry.series SET device = m, metric = m, unit = m, labels = jsonb_build_object(m, m) FROM text
        WHERE gateway = 'gw-02' RETURNING gateway
        """);
}
