using System.Text.Json;

namespace Telemetry.Alerting.Alertmanager;

/// <summary>Asks the named Alertmanagers who they are.</summary>
public static class AlertmanagerStatus
{
    /// <summary>Their versions; throws <see cref="AlertmanagerException"/> when one does not say it.</summary>
    public static async Task<IReadOnlyList<string>> AskAsync(
        AlertmanagerOptions options, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            Timeout = options.Timeout,
        };
        var versions = new List<string>();
        foreach (var server in options.Servers)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, new Uri(server.AbsoluteUri.TrimEnd('/') + "/api/v2/status"));
            request.Headers.Authorization = options.Authorization;
            try
            {
                using var response = await http.SendAsync(request, cancellationToken);
                response.EnsureSuccessStatusCode();
                using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
                versions.Add(json.RootElement.GetProperty("versionInfo").GetProperty("version").ToString());
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException or KeyNotFoundException
                or InvalidOperationException or TaskCanceledException)
            {
                throw new AlertmanagerException($"{server.Authority}: {e.Message}", false);
            }
        }

        return versions;
    }
}
