using System.Net;
using Telemetry.Alerting.Alertmanager;
using Telemetry.Cloud.Commands;
using Telemetry.Cloud.Configuration;

namespace Telemetry.Tests.Cloud.Commands;

public sealed class CheckCommandTests
{
    [Theory]
    [InlineData("Ingress", false)]
    [InlineData("Processor", false)]
    [InlineData("All", false)]
    [InlineData("Relay", true)]
    [InlineData("All, Relay", true)]
    public async Task Alertmanagers_are_asked_where_the_role_sends_to_them(string roles, bool isAsked)
    {
        var settings = new CloudSettings
        {
            Roles = Enum.Parse<CloudRoles>(roles),
            Alertmanager = new AlertmanagerOptions { Servers = [new Uri("http://127.0.0.1:9")] },
            HttpEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            MqttEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
        };
        await using var output = new StringWriter();

        // Stopped before it begins: every question to a server fails at once.
        await new CheckCommand(settings, TimeProvider.System, output).RunAsync(new CancellationToken(true));

        Assert.Contains("http: ok", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(isAsked, output.ToString().Contains("alertmanager: FAILED", StringComparison.Ordinal));
    }
}
