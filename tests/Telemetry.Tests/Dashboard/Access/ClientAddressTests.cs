using System.Net;
using Microsoft.AspNetCore.Http;
using Telemetry.Dashboard;
using Telemetry.Dashboard.Access;

namespace Telemetry.Tests.Dashboard.Access;

public sealed class ClientAddressTests
{
    [Theory]
    [InlineData(false, "9.9.9.9", "127.0.0.1")]
    [InlineData(true, "9.9.9.9", "9.9.9.9")]
    [InlineData(true, "1.1.1.1, 2001:db8::7", "2001:db8::7")]
    [InlineData(true, "9.9.9.9, unknown", "127.0.0.1")]
    [InlineData(true, "", "127.0.0.1")]
    public void Only_a_proxy_is_believed_and_only_what_it_saw_itself(bool isBehind, string named, string expected)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        context.Request.Headers["X-Forwarded-For"] = named;

        Assert.Equal(expected, ClientAddress.Of(context, new DashboardOptions { BehindTls = isBehind }));
    }
}
