using System.Net;
using Telemetry.Cloud.Configuration;

namespace Telemetry.Cloud.Health;

/// <summary>
/// The process of this program that runs on this machine with the addresses of the same settings. <c>check</c> asks
/// it, as beside it the ports of the settings are taken and nothing is wrong with that.
/// </summary>
internal static class RunningProcess
{
    /// <summary>Where a process says what it is.</summary>
    public const string Path = "/api/process";

    private const int AnswerBytesMax = 4096;

    /// <summary>No answer within this time is the answer of another program.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>What a process with these settings says it is; no secret is in it.</summary>
    public static string Describe(CloudSettings settings)
    {
        var ingress = settings.Roles.HasFlag(CloudRoles.Ingress) ? $", ingress on {settings.MqttEndPoint}" : "";
        var dashboard = settings.Roles.HasFlag(CloudRoles.Dashboard)
            ? $", dashboard on {settings.Dashboard!.EndPoint}" : "";
        return $"Telemetry.Cloud, role {settings.Roles}, http on {settings.HttpEndPoint}{ingress}{dashboard}\n";
    }

    /// <summary>True when a process with these roles and addresses answers.</summary>
    public static async Task<bool> AnswersAsync(CloudSettings settings, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = AnswerBytesMax };
        var address = new UriBuilder(
            Uri.UriSchemeHttp, Reached(settings.HttpEndPoint.Address).ToString(), settings.HttpEndPoint.Port, Path);
        try
        {
            return await http.GetStringAsync(address.Uri, cancellationToken) == Describe(settings);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Who listens on all addresses is asked on the loopback.</summary>
    private static IPAddress Reached(IPAddress address) =>
        address.Equals(IPAddress.Any) ? IPAddress.Loopback
        : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
        : address;
}
