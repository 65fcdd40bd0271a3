using System.Net;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Access;
using Telemetry.Storage;
using Telemetry.Storage.Access;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Dashboard.Access;

public sealed class VisitorsTests
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeDashboardUsers _users = new();

    [Fact]
    public async Task Without_users_everybody_is_let_in_on_the_loopback_and_nobody_beyond_it()
    {
        var (inside, beyond) = (Visitors(IPAddress.Loopback), Visitors(IPAddress.Any));
        Assert.Equal(UserRole.Admin, (await inside.FindAsync(Request(), default))!.Role);
        Assert.Null(await beyond.FindAsync(Request(), default));

        _users.Add("anna", UserRole.Viewer);
        _clock.Advance(Telemetry.Dashboard.Access.Visitors.HoldsFor);

        Assert.Null(await inside.FindAsync(Request(), default));
    }

    [Theory]
    [InlineData("X-Forwarded-For", false)]
    [InlineData("Forwarded", false)]
    [InlineData(null, true)]
    public async Task Without_users_nobody_is_let_in_through_a_proxy_of_the_same_machine(string? header, bool isBehind)
    {
        var visitors = Visitors(IPAddress.Loopback, isBehind);
        var request = Request();
        if (header is not null)
        {
            request.Headers[header] = "for=192.0.2.1";
        }

        Assert.Null(await visitors.FindAsync(request, default));
    }

    [Fact]
    public async Task Disabled_user_changes_nothing_at_once_and_sees_nothing_within_seconds()
    {
        var visitors = Visitors(IPAddress.Loopback);
        _users.Add("anna", UserRole.Operator);
        var secret = _users.Enter("anna");
        var visitor = await visitors.FindAsync(Request(secret), default);
        Assert.Equal("anna", visitor!.Name);
        Assert.True(await visitors.IsStillAsync(visitor, Request(secret)));

        _users.Disable("anna");

        Assert.Null(await visitors.FindAsync(Request(secret, "POST"), default));
        _clock.Advance(Telemetry.Dashboard.Access.Visitors.HoldsFor);
        Assert.Null(await visitors.FindAsync(Request(secret), default));
        Assert.False(await visitors.IsStillAsync(visitor, Request(secret)));
    }

    [Fact]
    public async Task While_the_database_is_away_whoever_was_let_in_may_look_for_a_while_and_change_nothing()
    {
        var visitors = Visitors(IPAddress.Loopback);
        _users.Add("anna", UserRole.Operator);
        var secret = _users.Enter("anna");
        await visitors.FindAsync(Request(secret), default);
        _users.Fails = true;
        _clock.Advance(TimeSpan.FromMinutes(9));

        Assert.Equal("anna", (await visitors.FindAsync(Request(secret), default))!.Name);
        await Assert.ThrowsAsync<StoreException>(() => visitors.FindAsync(Request(secret, "POST"), default));
        await Assert.ThrowsAsync<StoreException>(() => visitors.FindAsync(Request(_users.Enter("anna")), default));
        _clock.Advance(TimeSpan.FromMinutes(2));
        await Assert.ThrowsAsync<StoreException>(() => visitors.FindAsync(Request(secret), default));
    }

    private static HttpRequest Request(string? secret = null, string method = "GET")
    {
        var context = new DefaultHttpContext { Request = { Method = method } };
        if (secret is not null)
        {
            context.Request.Headers.Cookie = $"telemetry-session={secret}";
        }

        return context.Request;
    }

    private Visitors Visitors(IPAddress address, bool isBehind = false)
    {
        var options = new DashboardOptions { EndPoint = new IPEndPoint(address, 0), BehindTls = isBehind };
        return new Visitors(_users, new SessionCookie(options), options, _clock);
    }
}
