using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Telemetry.Integration.Cloud;
using Telemetry.Storage.Access;
using Telemetry.Storage.Postgres;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Dashboard;

/// <summary>Users of a dashboard in a process of its own: by HTTP, and at the page by keyboard.</summary>
public sealed class AccessTests
{
    private const string Password = "correct horse battery", Alert = "00000000000000000000000000000001";
    private const string Markup = "<img src=x onerror=\"console.log('ran')\"><b>seen</b>";

    private const string Acts = "SELECT count(*) FROM telemetry.alert_act a JOIN telemetry.operator_act o "
        + "ON o.act = 'alert acknowledge' AND o.note = a.comment";

    [ServersFact(nats: true, postgres: true)]
    public async Task Without_users_it_does_not_start_beyond_the_loopback_and_on_it_everybody_may_do_everything()
    {
        await using var stand = await DashboardStand.Start(gateways: 1);
        await using var beyond = new CloudProcess(stand.Nats.Url, stand.Postgres.ConnectionString);
        beyond.Configuration = $$"""
            {
              "role": "dashboard", "partitions": 2,
              "nats": { "servers": [ "{{stand.Nats.Url}}" ] },
              "database": { "connection": "{{stand.Postgres.ConnectionString}}" },
              "http": { "port": {{beyond.HttpPort}} },
              "dashboard": { "address": "0.0.0.0", "port": {{FreePort.Next()}} }
            }
            """;
        Assert.Equal(1, await beyond.Run("check"));
        await beyond.OutputWith("dashboard: FAILED, dashboard.address: 0.0.0.0 is not allowed while there are no");
        Assert.NotEqual(0, await beyond.Run("run"));
        await beyond.OutputWith("dashboard.address: 0.0.0.0 is not allowed while there are no users");
        await stand.Dashboard.OutputWith("The dashboard has no users: everybody on this machine may see and change");
        Assert.Equal("admin", (await stand.Json("/api/session")).GetProperty("role").GetString());

        await Add(stand, "otto", UserRole.Operator);
        Assert.Equal(0, await beyond.Run("check"));

        // Once there is a user, nobody is let in without a session, within seconds and without a restart.
        await Until(async () => (await stand.Get("/api/fleet")).Status == HttpStatusCode.Unauthorized);
    }

    [ServersFact(nats: true, postgres: true)]
    public async Task Of_two_acknowledges_at_once_one_is_200_and_one_409_and_a_disabled_user_is_out()
    {
        await using var stand = await DashboardStand.Start(gateways: 1);
        await Add(stand, "otto", UserRole.Operator);
        await Fire(stand);
        using var http = new HttpClient { BaseAddress = new Uri(stand.Address) };
        await Until(async () => (await stand.Get("/api/fleet")).Status == HttpStatusCode.Unauthorized);
        using var login = await Post(http, "/api/login", "login", new { user = "otto", password = Password });
        Assert.Equal(HttpStatusCode.NoContent, login.StatusCode);
        var session = JsonDocument.Parse(await http.GetStringAsync(new Uri("/api/session", UriKind.Relative)));
        var antiforgery = session.RootElement.GetProperty("antiforgery").GetString()!;
        using var events = await http.GetAsync(
            new Uri("/api/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 2).Select(async i =>
        {
            using var answer = await Post(
                http, $"/api/alerts/{Alert}/acknowledge", antiforgery, new { comment = $"mine {i}", revision = 0 });
            return (int)answer.StatusCode;
        }));

        Assert.Equal([200, 409], statuses.Order());
        Assert.Equal("1", await stand.Sql(Acts));

        await using (var database = await OperatorDatabase.OpenAsync(stand.Postgres.ConnectionString, default))
        {
            await database.Users("test").SetDisabledAsync("otto", disabled: true, default);
        }

        await Until(async () =>
        {
            using var answer = await http.GetAsync(new Uri("/api/fleet", UriKind.Relative));
            return answer.StatusCode == HttpStatusCode.Unauthorized;
        });
        // Its live events end too.
        await using var stream = await events.Content.ReadAsStreamAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await stream.CopyToAsync(Stream.Null, limit.Token);
    }

    [ChromiumFact]
    public async Task Alert_is_acknowledged_and_silenced_by_keyboard_alone_after_a_login()
    {
        await using var stand = await DashboardStand.Start(gateways: 1);
        await Add(stand, "otto", UserRole.Operator);
        await Fire(stand);
        await Until(async () => (await stand.Get("/api/fleet")).Status == HttpStatusCode.Unauthorized);
        await using var browser = await Browser.Start();

        await browser.OpenAsync(
            stand.Address + "/alerts?rule=hot", "document.activeElement.name === 'user'");
        await browser.TypeAsync("otto");
        await browser.PressAsync("Tab", 9);
        await browser.TypeAsync("wrong password");
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.querySelector('[role=alert]').innerText.includes('is wrong')");
        await browser.UntilAsync("document.activeElement.name === 'password'");
        await Picture(browser, "login");
        await browser.TypeAsync(Password);
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("location.pathname === '/alerts' && location.search === '?rule=hot'");
        await browser.UntilAsync("document.getElementById('who').innerText === 'otto (operator)'");

        await TabTo(browser, $"acknowledge-{Alert}");
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.activeElement.name === 'comment'");
        await browser.TypeAsync(Markup);
        await Picture(browser, "acknowledge");
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.querySelector('tbody').innerText.includes('by otto, ')");
        Assert.Contains(
            Markup, await browser.TextAsync("document.querySelector('tbody').innerText"), StringComparison.Ordinal);
        Assert.Equal("1", await stand.Sql(Acts));

        await TabTo(browser, $"silence-{Alert}");
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.activeElement.name === 'reason'");
        await browser.TypeAsync(Markup);
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("document.querySelectorAll('h2')[1]?.innerText === 'Silences: 1'");
        Assert.Equal(
            """{"rule": "hot", "gateway": "gw-07"}""",
            await stand.Sql("SELECT matcher FROM telemetry.alert_act WHERE kind = 1"));
        await Picture(browser, "silenced");
        await TabTo(browser, "logout");
        await browser.PressAsync("Enter", 13, "\r");
        await browser.UntilAsync("location.pathname === '/login'");
        Assert.Equal("0", await stand.Sql("SELECT count(*) FROM telemetry.dashboard_session"));

        // The browser itself notes the answers 401; nothing else is said, and nothing ran.
        Assert.DoesNotContain(browser.Console, line => !line.Contains("401", StringComparison.Ordinal));
    }

    private static Task Picture(Browser browser, string name) =>
        Environment.GetEnvironmentVariable(PagesTests.PicturesVariable) is { Length: > 0 } folder
            ? browser.PictureAsync(Path.Combine(folder, $"{name}.png")) : Task.CompletedTask;

    private static async Task TabTo(Browser browser, string id)
    {
        await browser.UntilAsync($"document.getElementById('{id}') !== null");
        for (var i = 0; i < 60; i++)
        {
            if (await browser.TextAsync("document.activeElement.id") == id)
            {
                return;
            }

            await browser.PressAsync("Tab", 9);
        }

        Assert.Fail($"{id} cannot be reached with the tab key");
    }

    private static async Task Add(DashboardStand stand, string name, UserRole role)
    {
        await using var database = await OperatorDatabase.OpenAsync(stand.Postgres.ConnectionString, default);
        Assert.True(await database.Users("test").AddAsync(
            new DashboardUser(name, role, [], Disabled: false), PasswordHash.Of(Password), default));
    }

    // Of a gateway that no processor has in its memory.
    private static Task<string> Fire(DashboardStand stand) => stand.Sql($"""
        INSERT INTO telemetry.alert (
            id, gateway, rule, series_identity, rule_version, severity, state, began_micros, fired_micros, peak, late,
            delay_micros, revision, said, named_micros, published_at, changed_at)
        VALUES ('\x{Alert}', 'gw-07', 'hot', '\x', 1, 'critical', 0, 1, 2, 3, false, 0, 0, 0, 1, now(), now());
        INSERT INTO telemetry.alert_state (
            gateway, rule, series_identity, rule_version, state, instance, started_micros, time_micros)
        VALUES ('gw-07', 'hot', '\x', 1, 2, '\x{Alert}', 1, 2)
        """);

    private static async Task<HttpResponseMessage> Post(
        HttpClient http, string path, string antiforgery, object content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(content) };
        request.Headers.Add("X-Antiforgery", antiforgery);
        return await http.SendAsync(request);
    }

    private static async Task Until(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            Assert.False(limit.IsCancellationRequested, "it did not come to hold within 60 s");
            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }
}
