namespace Telemetry.Inputs.HostMetrics;

/// <summary>/proc/meminfo, which counts in KiB.</summary>
internal sealed class MemorySource(string root) : IHostSource
{
    private readonly KernelFile _file = new(Path.Combine(root, "proc/meminfo"));

    public void Measure(HostSample sample)
    {
        var text = new KernelText(_file.Read());
        while (text.TryLine(out var line))
        {
            var name = line.Word();
            if (name.SequenceEqual("MemTotal"u8))
            {
                Add(sample, HostMetric.MemoryTotal, line);
            }
            else if (name.SequenceEqual("MemAvailable"u8))
            {
                Add(sample, HostMetric.MemoryAvailable, line);
            }
            else if (name.SequenceEqual("SwapFree"u8))
            {
                Add(sample, HostMetric.SwapFree, line);
            }
        }
    }

    public void Dispose() => _file.Dispose();

    private static void Add(HostSample sample, in HostMetric metric, KernelText line)
    {
        if (line.TryCounter(out var kibibytes))
        {
            sample.Add(metric, default, kibibytes * 1024);
        }
    }
}
