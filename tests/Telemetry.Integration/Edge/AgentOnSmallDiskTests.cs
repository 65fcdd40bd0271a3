using System.Net;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Inputs.Generator;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>The agent on a disk that runs full and gets room again, as its operator sees it.</summary>
public sealed class AgentOnSmallDiskTests
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    [SmallDiskFact]
    public async Task Full_disk_is_said_in_one_line_and_by_readiness_until_it_has_room()
    {
        await using var disk = new SmallDisk(8 * 1024 * 1024);
        var statusPort = FreePort.Next();
        var log = new LinesLog();
        using var stop = new CancellationTokenSource();
        var running = new EdgeProcess(
            [
                new AgentOptions
                {
                    Gateway = GatewayId.Parse("gw-1"),
                    OutboxFile = disk.At("outbox.db"),
                    Uplink = new() { Host = "127.0.0.1", Port = FreePort.Next() },
                    Inputs = [new GeneratorOptions { ReadingsPerSecond = 50_000 }],
                },
            ],
            statusPort,
            TimeSpan.FromSeconds(30),
            TimeProvider.System).RunAsync(log, new Random(1), stop.Token);
        await log.Until("Opened outbox");
        disk.TakeAllThatIsLeft();
        await Until(statusPort, HttpStatusCode.ServiceUnavailable, "gw-1: disk full, readings are refused");
        Assert.Contains("\"diskProblem\": true", await Get(statusPort, "/status"), StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_disk_problems 1", await Get(statusPort, "/metrics"), StringComparison.Ordinal);

        disk.GiveBack();
        await Until(statusPort, HttpStatusCode.OK, "ready\n");
        await stop.CancelAsync();
        Assert.Equal(EdgeProcess.Ended, await running);
        Assert.Single(Lines(log, "Refuses readings: disk full"));
        Assert.Single(Lines(log, "Takes readings again"));
        Assert.Single(Lines(log, "Opened outbox"));
    }

    private static IEnumerable<string> Lines(LinesLog log, string words) =>
        log.Text.Split('\n').Where(line => line.Contains(words, StringComparison.Ordinal));

    private static async Task<string> Get(int port, string path) =>
        await Http.GetStringAsync(new Uri($"http://127.0.0.1:{port}{path}"));

    private static async Task Until(int port, HttpStatusCode status, string text)
    {
        var said = "";
        for (var attempt = 0; attempt < 1200; attempt++)
        {
            using var answer = await Http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"));
            said = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == status && said.Contains(text, StringComparison.Ordinal))
            {
                return;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"readiness did not say {status} and '{text}', but '{said}'");
    }
}
