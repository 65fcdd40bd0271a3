using System.Text;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>
/// /sys/class/thermal: each zone's temperature, in thousandths of a degree. Zones are found once, at the start.
/// </summary>
internal sealed class TemperatureSource : IHostSource
{
    private readonly List<(byte[] Name, KernelFile File)> _zones = [];

    public TemperatureSource(string root)
    {
        var folder = Path.Combine(root, "sys/class/thermal");
        var zones = Directory.Exists(folder) ? Directory.GetDirectories(folder, "thermal_zone*") : [];
        foreach (var zone in zones.Order(StringComparer.Ordinal).Take(HostSample.PartsMax))
        {
            var type = Path.Combine(zone, "type");
            var kind = File.Exists(type) ? File.ReadAllText(type).Trim() + "/" : "";
            var name = kind + Path.GetFileName(zone)["thermal_zone".Length..];
            _zones.Add((Encoding.UTF8.GetBytes(name), new KernelFile(Path.Combine(zone, "temp"))));
        }
    }

    public void Measure(HostSample sample)
    {
        foreach (var (name, file) in _zones)
        {
            var text = new KernelText(file.Read());
            if (text.TryLine(out var line) && line.TryNumber(out var thousandths))
            {
                sample.Add(HostMetric.Temperature, name, thousandths / 1000.0);
            }
        }
    }

    public void Dispose() => _zones.ForEach(zone => zone.File.Dispose());
}
