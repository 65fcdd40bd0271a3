using System.Net;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Dashboard.Access;

/// <summary>From where somebody asks, for the pace of wrong passwords.</summary>
internal static class ClientAddress
{
    /// <summary>
    /// The address of the connection; behind a proxy the last one that X-Forwarded-For names, which is what the proxy
    /// saw itself. What stands before it anybody can have written.
    /// </summary>
    public static string Of(HttpContext context, DashboardOptions options)
    {
        var named = options.BehindTls
            ? context.Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1].Trim() : "";
        return (IPAddress.TryParse(named, out var address) ? address : context.Connection.RemoteIpAddress)?.ToString()
            ?? "";
    }
}
