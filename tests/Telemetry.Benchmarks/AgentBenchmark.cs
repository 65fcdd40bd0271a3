using System.Diagnostics;
using System.Globalization;
using Telemetry.SystemTests.Cluster;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks;

/// <summary>
/// What does one agent cost its gateway at 1,000 readings a second (50 series at 20 Hz), committed once a second and
/// stored in the cloud: memory, CPU, bytes on the wire and on the disk, and how often it forces the disk? The limit of
/// the bytes is what the frames themselves have.
/// </summary>
internal static class AgentBenchmark
{
    private const int ReadingsPerSecond = 1000;
    private const string Gateway = "bench";
    private const double WarmSeconds = 20, MeasuredSeconds = 60, TracedSeconds = 20;

    public static async Task RunAsync(RunLength run)
    {
        await using var backend = await Backend.StartAsync([Gateway], new Dictionary<string, string>());
        await using var link = new FaultProxy(backend.MqttPort);
        var statusPort = FreePort.Next();
        backend.Write("agent.json", new
        {
            gateway = Gateway,
            outbox = new { file = backend.At("agent.outbox") },
            uplink = new { host = "127.0.0.1", port = link.Port, password = Backend.Password },
            generator = new
            {
                readingsPerSecond = ReadingsPerSecond,
                devices = 10,
                seriesPerDevice = 5,
                interval = "100 ms",
                commitDeadline = "1 s",
            },
            status = new { port = statusPort },
        });
        await using var agent = backend.Program("agent", "Telemetry.Agent");
        await agent.StartAsync(async c => await backend.Status.TextAsync(statusPort, "/health/ready", c) is not null);
        await Task.Delay(run.Seconds(WarmSeconds));
        var from = await LookAsync(backend, link, agent, statusPort);
        await Task.Delay(run.Seconds(MeasuredSeconds));
        var to = await LookAsync(backend, link, agent, statusPort);
        var readings = (double)(to.Accepted - from.Accepted);
        var frame = (to.FrameBytes - from.FrameBytes) / readings;
        Figure.Print("agent-readings", readings / (to.At - from.At).TotalSeconds, "readings/s");
        Figure.Print("agent-memory", Memory(agent.Id!.Value, "VmRSS") / 1e6, "MB");
        Figure.Print("agent-memory-of-its-own", Memory(agent.Id!.Value, "RssAnon") / 1e6, "MB");
        Figure.Print("agent-memory-most", Memory(agent.Id!.Value, "VmHWM") / 1e6, "MB");
        Figure.Print("agent-cpu", 100 * (to.Cpu - from.Cpu) / (to.At - from.At), "percent of a core");
        Figure.Print("agent-wire-up", (to.Up - from.Up) / readings, "B/reading", "frames", frame);
        Figure.Print("agent-wire-down", (to.Down - from.Down) / readings, "B/reading");
        Figure.Print("agent-disk", (to.DiskBytes - from.DiskBytes) / readings, "B/reading", "frames", frame);
        await PrintSyncsAsync(backend, agent, statusPort, run.Seconds(TracedSeconds));
    }

    private static async Task<AgentState> LookAsync(
        Backend backend, FaultProxy link, DotnetProcess agent, int statusPort) => new(
            DateTimeOffset.UtcNow,
            (await backend.Status.AgentsAsync(statusPort, default)).Sum(a => a.Accepted),
            CpuTime.Of(agent.Id!.Value),
            link.BytesPassed(Direction.ToServer),
            link.BytesPassed(Direction.ToClient),
            Field($"/proc/{agent.Id}/io", "write_bytes:"),
            await backend.CounterAsync("telemetry_ingress_appended_bytes_total"));

    // Counted by strace, in a stretch of its own: to be traced costs time.
    private static async Task PrintSyncsAsync(Backend backend, DotnetProcess agent, int statusPort, TimeSpan traced)
    {
        if (Programs.Find("strace") is not { } strace)
        {
            Console.Error.WriteLine("strace is missing: how often the disk is forced was not counted.");
            return;
        }

        var trace = backend.At("syncs");
        string[] arguments =
            ["-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", trace, "-p", $"{agent.Id}"];
        using var tracer = Process.Start(new ProcessStartInfo(strace, arguments))!;
        var before = (await backend.Status.AgentsAsync(statusPort, default)).Sum(a => a.Accepted);
        await Task.Delay(traced);
        var readings = (await backend.Status.AgentsAsync(statusPort, default)).Sum(a => a.Accepted) - before;
        tracer.Kill();
        await tracer.WaitForExitAsync();
        // A call that another thread's interrupts is written in two lines.
        var syncs = (await File.ReadAllLinesAsync(trace)).Count(line =>
            line.Contains("sync", StringComparison.Ordinal) && !line.Contains("resumed", StringComparison.Ordinal));
        Figure.Print("agent-syncs", syncs / traced.TotalSeconds, "1/s");
        Figure.Print("agent-syncs-of-reading", syncs / (double)readings, "1/reading");
    }

    private static double Memory(int process, string field) => Field($"/proc/{process}/status", field + ":") * 1024.0;

    // NAME: NUMBER, or NAME: NUMBER kB
    private static long Field(string file, string name)
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Totals at one moment.</summary>
    private sealed record AgentState(
        DateTimeOffset At, long Accepted, TimeSpan Cpu, long Up, long Down, long DiskBytes, double FrameBytes);
}
