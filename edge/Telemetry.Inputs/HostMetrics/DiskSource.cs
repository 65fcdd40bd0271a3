namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// /proc/diskstats, which counts in sectors of 512 bytes; whole disks and partitions, no loops and RAM disks.
/// </summary>
internal sealed class DiskSource(string root) : IHostSource
{
    private const ulong SectorBytes = 512;
    private readonly KernelFile _file = new(Path.Combine(root, "proc/diskstats"));

    public void Measure(HostSample sample)
    {
        var text = new KernelText(_file.Read());
        while (text.TryLine(out var line))
        {
            line.Skip(2);
            var disk = line.Word();
            if (disk.IsEmpty || disk.StartsWith("loop"u8) || disk.StartsWith("ram"u8))
            {
                continue;
            }

            line.Skip(2);
            if (!line.TryCounter(out var read))
            {
                continue;
            }

            line.Skip(3);
            if (line.TryCounter(out var written))
            {
                sample.Add(HostMetric.DiskRead, disk, read * SectorBytes);
                sample.Add(HostMetric.DiskWritten, disk, written * SectorBytes);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
