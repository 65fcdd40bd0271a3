namespace Telemetry.Inputs.HostMetrics;

/// <summary>/proc/loadavg and /proc/uptime.</summary>
internal sealed class LoadSource(string root) : IHostSource
{
    private readonly KernelFile _load = new(Path.Combine(root, "proc/loadavg"));
    private readonly KernelFile _uptime = new(Path.Combine(root, "proc/uptime"));

    public void Measure(HostSample sample)
    {
        if (TryFirst(_load.Read(), out var load))
        {
            sample.Add(HostMetric.Load, default, load);
        }

        if (TryFirst(_uptime.Read(), out var uptime))
        {
            sample.Add(HostMetric.Uptime, default, uptime);
        }
    }

    public void Dispose()
    {
        _load.Dispose();
        _uptime.Dispose();
    }

    private static bool TryFirst(ReadOnlySpan<byte> text, out double value) =>
        System.Buffers.Text.Utf8Parser.TryParse(new KernelText(text).Word(), out value, out _);
}
