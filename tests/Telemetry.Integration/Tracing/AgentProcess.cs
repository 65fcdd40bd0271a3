using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Tracing;

/// <summary>
/// The agent's executable as a process of its own, gateway gw-1, with its files in a temporary folder.
/// </summary>
internal sealed class AgentProcess(int mqttPort, string traces, int readings = AgentProcess.Readings)
    : IAsyncDisposable
{
    public const int Readings = 60;

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private readonly TemporaryFolder _folder = new();
    private readonly int _statusPort = FreePort.Next();
    private ServerProcess? _process;

    public ServerProcess Process => _process!;

    public async Task Start()
    {
        await File.WriteAllTextAsync(_folder.At("agent.json"), $$"""
            {
              "gateway": "gw-1",
              "outbox": { "file": "{{_folder.At("outbox")}}", "commitDeadline": "100 ms" },
              "uplink": { "host": "127.0.0.1", "port": {{mqttPort}}, "password": "one", "backoffMax": "1 s" },
              "generator": { "readingsPerSecond": 60, "interval": "100 ms", "readingsMax": {{readings}} },
              "status": { "port": {{_statusPort}} },
              "traces": {{traces}}
            }
            """);
        _process = await ServerProcess.Start(new ServerCommand(
            "/usr/bin/env",
            "dotnet",
            Path.Combine(AppContext.BaseDirectory, "Telemetry.Agent.dll"),
            "run",
            "--config",
            _folder.At("agent.json"))
        { Folder = _folder.FullPath });
    }

    /// <summary>What its /metrics says; empty while it does not answer.</summary>
    public async Task<string> Metrics()
    {
        try
        {
            return await Http.GetStringAsync(new Uri($"http://127.0.0.1:{_statusPort}/metrics"));
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await _folder.DisposeAsync();
    }
}
