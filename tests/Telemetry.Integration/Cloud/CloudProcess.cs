using System.Net;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Cloud;

/// <summary>The cloud's executable as a process of its own, with its files in a temporary folder.</summary>
internal sealed class CloudProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private readonly TemporaryFolder _folder = new();
    private ServerProcess? _process;

    public CloudProcess(string natsUrl, string connection)
    {
        File.WriteAllText(_folder.At("gateways"), "gw-1:one\n");
        Configuration = $$"""
            {
              "partitions": 2,
              "nats": { "servers": [ "{{natsUrl}}" ] },
              "database": { "connection": "{{connection}}" },
              "ingress": { "port": {{MqttPort}}, "gateways": "{{_folder.At("gateways")}}", "plainPasswords": true },
              "http": { "port": {{HttpPort}} }
            }
            """;
    }

    public int MqttPort { get; } = FreePort.Next();

    public int HttpPort { get; } = FreePort.Next();

    public string Configuration { get; set; }

    public ServerProcess Process => _process!;

    /// <summary>Its output once it holds the text: what a process said last may come a moment after its end.</summary>
    public async Task<string> OutputWith(string text)
    {
        var output = "";
        for (var attempt = 0; attempt < 100 && !output.Contains(text, StringComparison.Ordinal); attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(attempt == 0 ? 0 : 100));
            output = await File.ReadAllTextAsync(Process.OutputFile);
        }

        Assert.Contains(text, output, StringComparison.Ordinal);
        return output;
    }

    public async Task Start(
        string command = "run", IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
    {
        File.WriteAllText(_folder.At("telemetry.json"), Configuration);
        _process = await ServerProcess.Start(new ServerCommand(
            "/usr/bin/env",
            [
                "dotnet", Path.Combine(AppContext.BaseDirectory, "Telemetry.Cloud.dll"), command, "--config",
                _folder.At("telemetry.json"), .. arguments,
            ])
        { Folder = _folder.FullPath, Environment = environment ?? new Dictionary<string, string>() });
    }

    /// <summary>Runs a command to its end and gives its exit code.</summary>
    public async Task<int> Run(
        string command, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
    {
        await Start(command, environment, arguments);
        await Process.Exited.WaitAsync(TimeSpan.FromSeconds(60));
        return Process.ExitCode!.Value;
    }

    public async Task<(HttpStatusCode Status, string Text)> Get(string path)
    {
        using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{HttpPort}{path}"));
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task WaitUntilReady() => Process.WaitUntilReady(
        async _ =>
        {
            try
            {
                return (await Get("/health/ready")).Status == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        },
        TimeSpan.FromSeconds(60));

    /// <summary>
    /// Waits until it says that it is not ready and one of the reasons, each a line, begins with <paramref
    /// name="why"/>. There may be other reasons first.
    /// </summary>
    public async Task WaitUntilNotReady(string why)
    {
        (HttpStatusCode Status, string Text) said = default;
        for (var attempt = 0; attempt < 600; attempt++)
        {
            said = await Get("/health/ready");
            if (said.Status == HttpStatusCode.ServiceUnavailable
                && $"\n{said.Text}".Contains($"\n{why}", StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        Assert.Fail($"it did not say '{why}' within 60 s, but {said}");
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
