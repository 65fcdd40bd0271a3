using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Live;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Access;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;
using Telemetry.Tests.Dashboard.Live;

namespace Telemetry.Tests.Dashboard;

/// <summary>Who is let in, who may change something, and who sees what: over a socket of the loopback.</summary>
public sealed class RequestGuardTests : IAsyncLifetime, IHostLifetime
{
    private const string Alert = "00112233445566778899aabbccddeeff";

    private readonly FakeFleetQueries _queries = new();
    private readonly FakeDashboardUsers _users = new();
    private readonly FakeOperatorActs _acts = new();
    private readonly EventStream _events = new(TimeProvider.System);
    private readonly FleetModel _model = new(TimeProvider.System);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private DashboardServer _server = null!;

    public async Task InitializeAsync()
    {
        _users.Add("vera", UserRole.Viewer);
        _users.Add("otto", UserRole.Operator);
        _users.Add("anna", UserRole.Viewer, "A");
        _model.Load(
            new FleetSnapshot(0, [], [Gateway("gw-a", "A"), Gateway("gw-b", "B"), Gateway("gw-ab", "A", "B")]), null);
        _model.Tick(hearing: true);
        var feed = new FleetFeed(
            _model, _queries, new FakeFleetChannel(), _events,
            new ReportedFailure("fails", "works", TimeProvider.System, NullLogger.Instance), TimeProvider.System);
        _server = await DashboardServer.StartAsync(
            new DashboardOptions { EndPoint = new(IPAddress.Loopback, 0) }, _model, feed, _events,
            new DashboardStores(_queries, _users, _acts), this, NullLoggerFactory.Instance, TimeProvider.System,
            default);
        _http.BaseAddress = new Uri(_server.Address);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/api/fleet")]
    [InlineData("/api/events")]
    [InlineData("/api/session")]
    [InlineData("/api/silences")]
    [InlineData("/api/openapi.json")]
    public async Task Without_a_session_the_API_is_401(string path)
    {
        using var answer = await Send(HttpMethod.Get, path);
        using var forged = await Send(HttpMethod.Get, path, cookie: new string('0', 64));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
    }

    [Fact]
    public async Task Without_a_session_a_page_leads_to_the_login_page_and_a_change_is_401()
    {
        using var page = await Send(HttpMethod.Get, "/gateway?name=x&y=1");
        Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
        Assert.Equal("/login?next=%2Fgateway%3Fname%3Dx%26y%3D1", page.Headers.Location!.OriginalString);
        using var login = await Send(HttpMethod.Get, "/login?next=%2F");
        Assert.Equal(HttpStatusCode.OK, login.StatusCode);
        using var script = await Send(HttpMethod.Get, "/assets/js/login.js");
        Assert.Equal(HttpStatusCode.OK, script.StatusCode);

        using var change = await Acknowledge(cookie: null, antiforgery: "x");
        Assert.Equal(HttpStatusCode.Unauthorized, change.StatusCode);
        Assert.Empty(_acts.Done);
    }

    [Fact]
    public async Task Viewer_may_look_and_change_nothing()
    {
        var vera = _users.Enter("vera");
        using var fleet = await Send(HttpMethod.Get, "/api/fleet", vera);
        Assert.Equal(HttpStatusCode.OK, fleet.StatusCode);

        foreach (var path in new[] { $"/api/alerts/{Alert}/acknowledge", "/api/silences", "/api/dead-letters/1/retry" })
        {
            using var change = await Send(HttpMethod.Post, path, vera, await Antiforgery(vera), new { });
            Assert.Equal(HttpStatusCode.Forbidden, change.StatusCode);
        }

        using var end = await Send(HttpMethod.Delete, "/api/silences/1", vera, await Antiforgery(vera));
        Assert.Equal(HttpStatusCode.Forbidden, end.StatusCode);
        Assert.Empty(_acts.Done);
    }

    [Fact]
    public async Task Change_needs_the_sessions_own_antiforgery_text()
    {
        var (otto, other) = (_users.Enter("otto"), _users.Enter("otto"));
        using var without = await Acknowledge(otto, antiforgery: null);
        using var wrong = await Acknowledge(otto, await Antiforgery(other));
        Assert.Equal(HttpStatusCode.BadRequest, without.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Empty(_acts.Done);

        using var right = await Acknowledge(otto, await Antiforgery(otto));

        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.Equal([$"otto acknowledges {Alert} 3: <b>seen</b>"], _acts.Done);
    }

    [Fact]
    public async Task Token_is_a_bearer_alone_and_needs_no_antiforgery_text()
    {
        var token = _users.Enter("otto", token: true);
        using var asCookie = await Send(HttpMethod.Get, "/api/fleet", token);
        Assert.Equal(HttpStatusCode.Unauthorized, asCookie.StatusCode);

        using var request = Request(HttpMethod.Post, "/api/dead-letters/12/retry", null, null, null);
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(["otto retries 12"], _acts.Done);
    }

    [Fact]
    public async Task Conflict_is_409_and_what_is_not_seen_404()
    {
        var otto = _users.Enter("otto");
        _acts.Outcome = new ActOutcome(ActResult.Conflict, "the alert is resolved");
        using var conflict = await Acknowledge(otto, await Antiforgery(otto));
        Assert.Equal(HttpStatusCode.Conflict, conflict.StatusCode);
        Assert.Contains("resolved", await conflict.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        _acts.Outcome = new ActOutcome(ActResult.NotFound);
        using var none = await Acknowledge(otto, await Antiforgery(otto));
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Theory]
    [InlineData("""{"matcher":{},"reason":"r","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"rule":1},"reason":"r","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"other":"x"},"reason":"r","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"rule":"a\u0000b"},"reason":"r","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"rule":"\ud800"},"reason":"r","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"rule":"x"},"reason":" ","until":"UNTIL"}""", 1)]
    [InlineData("""{"matcher":{"rule":"x"},"reason":"r","until":"UNTIL"}""", 31)]
    [InlineData("""{"matcher":{"rule":"x"},"reason":"r","until":"UNTIL"}""", -1)]
    [InlineData("""{"matcher":{"rule":"x"},"reason":"r","until":"soon"}""", 1)]
    [InlineData("""{"matcher":{"rule":"x"},"reason":"r","until":"UNTIL","more":1}""", 1)]
    [InlineData("[]", 1)]
    [InlineData("{", 1)]
    public async Task Silence_that_is_not_valid_is_400(string text, int days)
    {
        var otto = _users.Enter("otto");

        Assert.Equal(HttpStatusCode.BadRequest, await Silence(otto, text, days));
        Assert.Empty(_acts.Done);
    }

    [Fact]
    public async Task Silence_within_30_days_is_made()
    {
        var otto = _users.Enter("otto");

        Assert.Equal(HttpStatusCode.Created, await Silence(
            otto, """{"matcher":{"rule":"x","labels":{"a":"b"}},"reason":"r","until":"UNTIL"}""", 30));
        Assert.Equal(["""otto silences {"rule":"x","labels":{"a":"b"}}: r"""], _acts.Done);
    }

    [Fact]
    public async Task Login_gives_a_cookie_that_no_script_reads_and_logout_ends_the_session()
    {
        using var refused = await Login("otto", "of otto", antiforgery: null);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        using var login = await Login("otto", "of otto");
        Assert.Equal(HttpStatusCode.NoContent, login.StatusCode);
        var cookie = Assert.Single(login.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; samesite=strict", cookie, StringComparison.Ordinal);
        Assert.Contains("; httponly", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain("; secure", cookie, StringComparison.Ordinal);
        var secret = cookie.Split(';')[0].Split('=')[1];
        using var fleet = await Send(HttpMethod.Get, "/api/fleet", secret);
        Assert.Equal(HttpStatusCode.OK, fleet.StatusCode);

        using var logout = await Send(HttpMethod.Post, "/api/logout", secret, await Antiforgery(secret));
        Assert.Equal(HttpStatusCode.NoContent, logout.StatusCode);
        using var after = await Send(HttpMethod.Get, "/api/fleet", secret);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task Wrong_password_unknown_name_and_disabled_user_get_one_answer_and_then_none_is_checked()
    {
        _users.Disable("vera");
        var texts = new List<string>();
        foreach (var (name, password) in new[] { ("otto", "wrong"), ("nobody", "x"), ("vera", "of vera") })
        {
            using var answer = await Login(name, password);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            texts.Add(await answer.Content.ReadAsStringAsync());
        }

        Assert.Single(texts.Distinct());
        var many = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            using var answer = await Login("anna", $"wrong {i}");
            return answer.StatusCode;
        }));
        Assert.Equal(3, many.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(17, many.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(6, _users.Looked);
    }

    [Fact]
    public async Task Viewer_of_a_site_sees_nothing_of_another_one()
    {
        var anna = _users.Enter("anna");

        var fleet = await Json("/api/fleet", anna);
        Assert.Equal(
            ["gw-a"], fleet.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("name").GetString()));
        Assert.Equal(1, fleet.GetProperty("matched").GetInt32());
        Assert.Equal(1, fleet.GetProperty("gateways").GetInt32());
        Assert.Equal(1, fleet.GetProperty("firing").GetInt32());
        Assert.Equal(0, (await Json("/api/fleet?search=gw-b", anna)).GetProperty("matched").GetInt32());
        Assert.Equal(0, (await Json("/api/fleet?site=B", anna)).GetProperty("matched").GetInt32());
        Assert.Equal("""["A"]""", (await Json("/api/groups", anna)).GetProperty("sites").GetRawText());
        using var pipeline = await Send(HttpMethod.Get, "/api/pipeline", anna);
        Assert.Equal(HttpStatusCode.Forbidden, pipeline.StatusCode);

        await Json("/api/alerts", anna);
        await Json("/api/series", anna);
        await Json("/api/series/1", anna);
        await Json("/api/books", anna);
        await Json("/api/books/days", anna);
        Assert.All(_queries.Limits, limit => Assert.Equal(["A"], limit.Sites!));
        Assert.Equal(5, _queries.Limits.Count);
    }

    [Fact]
    public async Task Entity_tag_of_one_who_sees_all_is_none_for_one_who_does_not()
    {
        using var all = await Send(HttpMethod.Get, "/api/fleet", _users.Enter("vera"));
        using var request = Request(HttpMethod.Get, "/api/fleet", _users.Enter("anna"), null, null);
        request.Headers.IfNoneMatch.Add(all.Headers.ETag!);
        using var some = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, some.StatusCode);
        Assert.True(some.Headers.CacheControl!.Private);
    }

    [Fact]
    public async Task While_the_database_is_away_nobody_new_is_let_in_and_nothing_is_changed()
    {
        _users.Fails = true;

        using var fleet = await Send(HttpMethod.Get, "/api/fleet", _users.Enter("vera"));
        using var login = await Login("vera", "of vera");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, fleet.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, login.StatusCode);
    }

    Task IHostLifetime.WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostLifetime.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static FleetGateway Gateway(string name, params string[] sites) =>
        new() { Gateway = name, Sites = sites, Firing = 1, Partition = 0 };

    private static HttpRequestMessage Request(
        HttpMethod method, string path, string? cookie, string? antiforgery, HttpContent? content)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", $"telemetry-session={cookie}");
        }

        if (antiforgery is not null)
        {
            request.Headers.Add("X-Antiforgery", antiforgery);
        }

        return request;
    }

    private async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, string? cookie = null, string? antiforgery = null, object? content = null)
    {
        using var request = Request(
            method, path, cookie, antiforgery, content is null ? null : JsonContent.Create(content));
        return await _http.SendAsync(request);
    }

    private Task<HttpResponseMessage> Acknowledge(string? cookie, string? antiforgery) => Send(
        HttpMethod.Post, $"/api/alerts/{Alert}/acknowledge", cookie, antiforgery,
        new { comment = "<b>seen</b>", revision = 3 });

    private Task<HttpResponseMessage> Login(string name, string password, string? antiforgery = "login") =>
        Send(HttpMethod.Post, "/api/login", null, antiforgery, new { user = name, password });

    private async Task<HttpStatusCode> Silence(string cookie, string text, int days)
    {
        var until = DateTime.UtcNow.AddDays(days).AddMinutes(-1).ToString("O");
        using var content = new StringContent(
            text.Replace("UNTIL", until, StringComparison.Ordinal), new MediaTypeHeaderValue("application/json"));
        using var request = Request(HttpMethod.Post, "/api/silences", cookie, await Antiforgery(cookie), content);
        using var answer = await _http.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<string> Antiforgery(string cookie) =>
        (await Json("/api/session", cookie)).GetProperty("antiforgery").GetString()!;

    private async Task<JsonElement> Json(string path, string cookie)
    {
        using var answer = await Send(HttpMethod.Get, path, cookie);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
