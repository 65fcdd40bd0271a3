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
            QueriesMax = reader.Number("dashboard.queriesMax", or.QueriesMax, 1, 1000),
        };
        options = options with { ConnectionsMax = (2 * options.ViewersMax) + 200 };
        if (!IPAddress.TryParse(text, out var address))
        {
            reader.NotAllowed("dashboard.address", text, "an IP address");
        }
        else if (!IPAddress.IsLoopback(address))
        {
            // Everybody who reaches it sees everything, as long as it knows no users.
            reader.NotAllowed(
                "dashboard.address", text, "an address of the loopback (127.0.0.1 or ::1), as there are no users");
        }

        if (port == 0 && roles == CloudRoles.Dashboard)
        {
            reader.Problem("dashboard.port", "is missing");
        }

        return port == 0 || address is null ? null : options with { EndPoint = new IPEndPoint(address, port) };
    }
}
