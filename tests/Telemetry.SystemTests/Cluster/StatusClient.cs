using System.Text.Json;

namespace Telemetry.SystemTests.Cluster;

/// <summary>Asks the status page of a process on 127.0.0.1; what is down answers nothing.</summary>
public sealed class StatusClient : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>The agents of a process; empty when it is down.</summary>
    public async Task<IReadOnlyList<GatewayStatus>> AgentsAsync(int port, CancellationToken cancellationToken)
    {
        if (await TextAsync(port, "/status", cancellationToken) is not { } json)
        {
            return [];
        }

        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(GatewayStatus.Of)];
    }

    /// <summary>A page; null when nobody answers, or not with success.</summary>
    public async Task<string?> TextAsync(int port, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"), cancellationToken);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(cancellationToken) : null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is HttpRequestException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// The sum of a counter's series in Prometheus' text format, by how a line begins; null when nobody answers.
    /// </summary>
    public async Task<double?> CounterAsync(int port, string beginning, CancellationToken cancellationToken)
    {
        var text = await TextAsync(port, "/metrics", cancellationToken);
        return text?.Split('\n')
            .Where(line => line.StartsWith(beginning, StringComparison.Ordinal))
            .Sum(
                line =>
                    double.Parse(
                        line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }

    public void Dispose() => _http.Dispose();
}
