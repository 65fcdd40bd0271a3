using System.Text;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>Free space of a file system, as an unprivileged user may use it.</summary>
internal sealed class FilesystemSource(string path) : IHostSource
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(path);
    private readonly DriveInfo _drive = new(path);

    public void Measure(HostSample sample)
    {
        if (_drive.IsReady)
        {
            sample.Add(HostMetric.FilesystemFree, _name, (ulong)_drive.AvailableFreeSpace);
        }
    }

    public void Dispose()
    {
    }
}
