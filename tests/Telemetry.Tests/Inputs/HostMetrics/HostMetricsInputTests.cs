using Telemetry.Inputs.HostMetrics;
using Telemetry.TestKit.Bytes;
using Telemetry.TestKit.Servers;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.HostMetrics;

public sealed class HostMetricsInputTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public Task InitializeAsync()
    {
        Write("proc/stat", "cpu  100 0 100 700 100 0 0 0 9 9\ncpu0 100 0 100 700 100 0 0 0 0 0\nintr 5\n");
        Write("proc/loadavg", "0.52 0.58 0.59 1/467 12345\n");
        Write("proc/uptime", "350735.47 234388.90\n");
        Write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  5 kB\nMemAvailable:    600 kB\nSwapFree:  0 kB\n");
        Write("proc/diskstats", " 179 0 mmcblk0 10 0 100 0 20 0 200 0 0 0 0\n   7 0 loop0 1 0 1 0 1 0 1 0 0 0 0\n");
        Write("proc/net/dev",
            "Inter-|   Receive\n face |bytes\n    lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n  eth0:111 2 0 0 0 0 0 0 222 3 "
            + "0 0 0 0 0 0\n");
        Write("sys/class/thermal/thermal_zone0/temp", "48312\n");
        Write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public void Measures_what_the_machine_has()
    {
        var readings = Measure(out _);

        Assert.Equal(48.3, Float(readings, "temperature[cpu-thermal/0]"));
        Assert.Equal(0.52, Float(readings, "cpu.load1[]"));
        Assert.Equal(350735.47, Float(readings, "uptime[]"));
        Assert.Equal(600UL * 1024, readings["memory.available[]"]);
        Assert.Equal((100UL * 512, 200UL * 512), (readings["disk.read[mmcblk0]"], readings["disk.written[mmcblk0]"]));
        Assert.Equal((111UL, 222UL), (readings["network.received[eth0]"], readings["network.sent[eth0]"]));
        Assert.DoesNotContain(
            readings.Keys,
            k => k.Contains("[lo]", StringComparison.Ordinal) || k.Contains("loop", StringComparison.Ordinal));
    }

    [Fact]
    public void A_processors_share_is_that_since_the_measurement_before()
    {
        var first = Measure(out var again);
        Assert.DoesNotContain("cpu.busy[all]", first.Keys);

        Write("proc/stat", "cpu  130 0 120 740 110 0 0 0 0 0\ncpu0 130 0 120 740 110 0 0 0 0 0\nintr 5\n");

        Assert.Equal(50.0, Float(again(), "cpu.busy[all]"));
    }

    [Fact]
    public void What_the_machine_lacks_is_absent()
    {
        Directory.Delete(_folder.At("proc"), recursive: true);
        Directory.Delete(_folder.At("sys"), recursive: true);

        Assert.Equal(["filesystem.free[/]"], FilterFree(Measure(out _)).Keys);
    }

    [Fact]
    public void Measures_at_once_and_then_at_its_interval() => OutboxRig.Run(async rig =>
    {
        var options = new HostMetricsOptions { Root = _folder.FullPath, Interval = TimeSpan.FromSeconds(10) };
        using var input = new HostMetricsInput(options, null, rig.Clock);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(25), rig.Clock);

        await input.RunAsync(rig.Outbox, stop.Token);

        Assert.Equal(rig.Outbox.Accepted, input.Acknowledged);
        Assert.InRange(rig.Outbox.Accepted, 3 * 10, 3 * 16);
    });

    [Fact]
    public void A_measurement_of_known_series_allocates_next_to_nothing() => OutboxRig.Run(rig =>
    {
        var sample = new HostSample("host");
        IHostSource[] sources = [new ProcessorSource(
            _folder.FullPath), new MemorySource(_folder.FullPath), new NetworkSource(_folder.FullPath)];
        void Measure()
        {
            sample.Begin(rig.Outbox, 1);
            Array.ForEach(sources, source => source.Measure(sample));
        }

        Measure();

        Assert.InRange(AllocatedBytes.Of(Measure, enough: 200), 0, 200);
        Array.ForEach(sources, source => source.Dispose());
        return Task.CompletedTask;
    });

    private static Dictionary<string, ulong> FilterFree(Dictionary<string, ulong> readings) =>
        readings.ToDictionary(
            r => r.Key.StartsWith("filesystem.free", StringComparison.Ordinal) ? "filesystem.free[/]" : r.Key,
            r => r.Value);

    private static double Float(Dictionary<string, ulong> readings, string name) =>
        BitConverter.UInt64BitsToDouble(readings[name]);

    private Dictionary<string, ulong> Measure(out Func<Dictionary<string, ulong>> again)
    {
        Dictionary<string, ulong> first = [];
        IHostSource[] sources =
        [
            new ProcessorSource(_folder.FullPath), new LoadSource(_folder.FullPath), new MemorySource(_folder.FullPath),
            new DiskSource(_folder.FullPath), new FilesystemSource(_folder.FullPath),
            new NetworkSource(_folder.FullPath),
            new TemperatureSource(_folder.FullPath),
        ];
        again = MeasureAll;
        return MeasureAll();

        Dictionary<string, ulong> MeasureAll()
        {
            var readings = new Dictionary<string, ulong>();
            OutboxRig.Run(rig =>
            {
                var sample = new HostSample("host");
                sample.Begin(rig.Outbox, 1);
                Array.ForEach(sources, source => source.Measure(sample));
                for (var row = 0; row < sample.Batch.Count; row++)
                {
                    var series = rig.Outbox.Series.Entries[sample.Batch.Series[row]].Definition;
                    readings[$"{series.Metric}[{(series.Labels.Count > 0 ? series.Labels[0].Value : "")}]"] =
                        sample.Batch.Bits[row];
                }

                return Task.CompletedTask;
            });
            return readings;
        }
    }

    private void Write(string name, string text)
    {
        var path = _folder.At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
