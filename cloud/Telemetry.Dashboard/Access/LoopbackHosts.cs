using System.Net;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Access;

/// <summary>
/// Without users, whoever reaches the loopback is let in. So a page of a foreign site must not be able to ask through
/// somebody's browser: its requests bear the foreign host's name, also where that name leads to the loopback.
/// </summary>
internal static class LoopbackHosts
{
    /// <summary>True when the request was made for this machine by one of its own names.</summary>
    public static bool Allows(HttpRequest request)
    {
        var host = request.Host.Host.Trim('[', ']');
        return string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }
}
