namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// /proc/stat: the share of time that each processor, and all together, was busy since the last reading.
/// </summary>
internal sealed class ProcessorSource(string root) : IHostSource
{
    private readonly KernelFile _file = new(Path.Combine(root, "proc/stat"));
    private readonly Dictionary<int, (ulong Busy, ulong Total)> _last = [];

    public void Measure(HostSample sample)
    {
        var text = new KernelText(_file.Read());
        for (var row = 0; text.TryLine(out var line) && row <= HostSample.PartsMax; row++)
        {
            var name = line.Word();
            if (!name.StartsWith("cpu"u8))
            {
                return;
            }

            // user nice system idle iowait irq softirq steal (guest times are in user and nice already)
            ulong total = 0, idle = 0;
            for (var column = 0; column < 8 && line.TryCounter(out var ticks); column++)
            {
                total += ticks;
                idle += column is 3 or 4 ? ticks : 0;
            }

            var now = (Busy: total - idle, Total: total);
            if (_last.TryGetValue(row, out var last) && now.Total > last.Total && now.Busy >= last.Busy)
            {
                var share = 100.0 * (now.Busy - last.Busy) / (now.Total - last.Total);
                sample.Add(HostMetric.CpuBusy, row == 0 ? "all"u8 : name[3..], share);
            }

            _last[row] = now;
        }
    }

    public void Dispose() => _file.Dispose();
}
