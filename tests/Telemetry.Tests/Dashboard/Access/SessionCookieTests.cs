using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Access;

namespace Telemetry.Tests.Dashboard.Access;

public sealed class SessionCookieTests
{
    [Fact]
    public void Behind_TLS_the_cookie_goes_over_TLS_alone()
    {
        var response = new DefaultHttpContext().Response;

        new SessionCookie(new DashboardOptions { BehindTls = true }).Write(response, "secret");

        Assert.Equal(
            "__Host-telemetry-session=secret; max-age=43200; path=/; secure; samesite=strict; httponly",
            response.Headers.SetCookie.ToString());
    }
}
