using System.Net;
using Telemetry.Dashboard;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>dashboard</c>.</summary>
internal static class DashboardSection
{
    /// <summary>Null where no port is set: then role all has no dashboard.</summary>
    public static DashboardOptions? Read(SettingsReader reader, CloudRoles roles)
    {
        var or = new DashboardOptions();
        var text = reader.Text("dashboard.address", "127.0.0.1");
        var port = reader.Number("dashboard.port", 0, 0, 65_535);
        var options = or with
        {
            ViewersMax = reader.Number("dashboard.viewersMax", or.ViewersMax, 1, 100_000),
            Session = reader.Span(
                "dashboard.session", or.Session, TimeSpan.FromMinutes(1), TimeSpan.FromDays(30)),
            BehindTls = reader.Flag("dashboard.behindTls", or.BehindTls),
            QueriesMax = reader.Number("dashboard.queriesMax", or.QueriesMax, 1, 1000),
        };
        options = options with { ConnectionsMax = (2 * options.ViewersMax) + 200 };
        if (!IPAddress.TryParse(text, out var address))
        {
            reader.NotAllowed("dashboard.address", text, "an IP address");
        }

        if (port == 0 && roles == CloudRoles.Dashboard)
        {
            reader.Problem("dashboard.port", "is missing");
        }

        return port == 0 || address is null ? null : options with { EndPoint = new IPEndPoint(address, port) };
    }
}
