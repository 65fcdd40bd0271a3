using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Live;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Fleet;
using Telemetry.Tests.Architecture;
using Telemetry.Tests.Dashboard.Live;

namespace Telemetry.Tests.Dashboard;

/// <summary>The server over a socket of the loopback, with a database that the test makes up.</summary>
public sealed class DashboardServerTests : IAsyncLifetime, IHostLifetime
{
    private readonly FakeFleetQueries _queries = new();
    private readonly HttpClient _http = new();
    private readonly FleetModel _model = new(TimeProvider.System);
    private DashboardServer _server = null!;

    public async Task InitializeAsync()
    {
        var events = new EventStream(TimeProvider.System);
        var feed = new FleetFeed(
            _model, _queries, new FakeFleetChannel(), events,
            new ReportedFailure("fails", "works", TimeProvider.System, NullLogger.Instance), TimeProvider.System);
        _server = await DashboardServer.StartAsync(
            new DashboardOptions { EndPoint = new(IPAddress.Loopback, 0), ViewersMax = 1 }, _model, feed, events,
            new DashboardStores(_queries, new FakeDashboardUsers(), new FakeOperatorActs()), this,
            NullLoggerFactory.Instance, TimeProvider.System, default);
        _http.BaseAddress = new Uri(_server.Address);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/gateway?name=x", "text/html")]
    [InlineData("/assets/app.css", "text/css")]
    [InlineData("/assets/js/app.js", "text/javascript")]
    [InlineData("/assets/vendor/uplot-1.6.32/uPlot.esm.js", "text/javascript")]
    [InlineData("/runbooks/gateway-offline", "text/plain")]
    [InlineData("/api/openapi.json", "application/json")]
    [InlineData("/api/fleet", "application/json")]
    public async Task Every_answer_has_the_strict_policy_and_its_own_type(string path, string type)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData("/none", HttpStatusCode.NotFound)]
    [InlineData("/assets/none.js", HttpStatusCode.NotFound)]
    [InlineData("/assets/%2e%2e/runbooks/forks.md", HttpStatusCode.NotFound)]
    [InlineData("/api/fleet?limit=501", HttpStatusCode.BadRequest)]
    [InlineData("/api/fleet?state=green", HttpStatusCode.BadRequest)]
    [InlineData("/api/series/1?from=yesterday", HttpStatusCode.BadRequest)]
    [InlineData("/api/series/x", HttpStatusCode.NotFound)]
    public async Task What_cannot_be_answered_is_said_as_problem_details(string path, HttpStatusCode status)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Database_that_is_away_is_503_and_what_is_not_there_is_404()
    {
        _queries.Fails = true;
        using var away = await _http.GetAsync(new Uri("/api/pipeline", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);

        (_queries.Fails, _queries.Json) = (false, null);
        using var none = await _http.GetAsync(new Uri("/api/gateways/x", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task Request_for_another_host_is_refused_so_that_no_foreign_page_can_ask()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/fleet")
        {
            Headers = { Host = "evil.example" },
        };
        using var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/login")]
    [InlineData("/api/fleet")]
    public async Task Without_users_a_request_through_a_proxy_is_told_to_add_one(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative))
        {
            Headers = { { "X-Forwarded-For", "192.0.2.1" } },
        };
        using var answer = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("telemetry user add", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fleet_that_did_not_change_is_not_sent_again()
    {
        _model.Load(new FleetSnapshot(0, [], [new FleetGateway { Gateway = "a" }]), null);
        using var first = await _http.GetAsync(new Uri("/api/fleet", UriKind.Relative));
        using var same = await Again(first);
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);

        _model.Load(new FleetSnapshot(0, [], [new FleetGateway { Gateway = "b" }]), null);
        using var changed = await Again(first);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        async Task<HttpResponseMessage> Again(HttpResponseMessage before)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/fleet");
            request.Headers.IfNoneMatch.Add(before.Headers.ETag!);
            return await _http.SendAsync(request);
        }
    }

    [Fact]
    public async Task Further_page_than_allowed_gets_no_events_and_is_told_so()
    {
        using var one = await _http.GetAsync(
            new Uri("/api/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", one.Content.Headers.ContentType!.MediaType);

        using var two = await _http.GetAsync(new Uri("/api/events", UriKind.Relative));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, two.StatusCode);
    }

    /// <summary>Each path of the description is answered, and each answered one is described.</summary>
    [Fact]
    public async Task Description_names_the_paths_that_are_there()
    {
        var described = JsonDocument.Parse(await _http.GetStringAsync(new Uri("/api/openapi.json", UriKind.Relative)))
            .RootElement.GetProperty("paths");
        var source = string.Join('\n', SourceTree.Lines("cloud/Telemetry.Dashboard/DashboardServer.cs"));
        var mapped = System.Text.RegularExpressions.Regex.Matches(source, "Map(?:Get|Post|Delete)\\(\"(/api/[^\"]+)\"")
            .Select(m => m.Groups[1].Value.Replace(":int:min(0)", "", StringComparison.Ordinal)
                .Replace(":long:min(0)", "", StringComparison.Ordinal)).Distinct();

        Assert.Equal(mapped.Order(StringComparer.Ordinal),
            described.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var path in described.EnumerateObject().Where(p =>
            p.Value.TryGetProperty("get", out var get) && get.TryGetProperty("parameters", out _)))
        {
            var names = path.Value.GetProperty("get").GetProperty("parameters").EnumerateArray()
                .Where(p => p.GetProperty("in").GetString() == "query").Select(p => p.GetProperty("name").GetString()!);
            foreach (var name in names)
            {
                // A value that none of them takes: a parameter that is not known would be called so.
                var asked = path.Name.Replace("{name}", "x", StringComparison.Ordinal)
                    .Replace("{series}", "1", StringComparison.Ordinal);
                using var answer = await _http.GetAsync(new Uri($"{asked}?{name}=", UriKind.Relative));
                Assert.DoesNotContain(
                    "there is no parameter", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
    }

    Task IHostLifetime.WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostLifetime.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
