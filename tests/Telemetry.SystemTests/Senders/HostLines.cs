using System.Globalization;
using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.SystemTests.Senders;

/// <summary>
/// What this machine's kernel says of itself, as one line of InfluxDB line protocol, and as the readings that an agent
/// must make of it: device from the tag of that name, the other tag as a label, measurement.field as the metric. Beside
/// real values stands a saw tooth of a few seconds, so that alert rules have something to say whatever the machine
/// does.
/// </summary>
internal sealed class HostLines
{
    private const string Device = "this-machine", Measurement = "host";
    private const long SawToothMicros = 6_000_000;

    private readonly ReadingBatch _batch = new(8);
    private readonly StringBuilder _line = new();

    public HostLines(GatewayId gateway)
    {
        SeriesDefinition[] definitions =
        [
            Define("load1", MetricType.Float), Define("mem_available", MetricType.Int),
            Define("cpu_busy", MetricType.UInt),
            Define("swapping", MetricType.Bool), Define("kernel", MetricType.Text),
            Define("saw_tooth", MetricType.Float),
        ];
        Series = SeriesList.Empty(gateway).Extend(SchemaMessage.Of(default, definitions));
    }

    /// <summary>The series that the lines have.</summary>
    public SeriesList Series { get; }

    /// <summary>Measures. The batch is filled anew with each call.</summary>
    public (string Line, ReadingBatch Readings) Measure(long micros)
    {
        var load = double.Parse(Word("/proc/loadavg", 0), CultureInfo.InvariantCulture);
        var available = Memory("MemAvailable:") * 1024;
        var busy = Busy();
        var swapping = Memory("SwapFree:") < Memory("SwapTotal:");
        var kernel = Word("/proc/version", 2);
        var tooth = micros % SawToothMicros / 1e6;
        _batch.Clear();
        _batch.Add(0, micros, load);
        _batch.Add(1, micros, (ulong)available);
        _batch.Add(2, micros, busy);
        _batch.Add(3, micros, swapping ? 1ul : 0);
        _batch.AddText(4, micros, kernel);
        _batch.Add(5, micros, tooth);
        _line.Clear();
        _line.Append(
            CultureInfo.InvariantCulture,
            $"{Measurement},source=proc,device={Device} load1={load:R},mem_available={available}i,")
            .Append(
                CultureInfo.InvariantCulture,
                $"cpu_busy={busy}u,swapping={(swapping ? "true" : "f")},kernel=\"{kernel}\",")
            .Append(CultureInfo.InvariantCulture, $"saw_tooth={tooth:R} {micros}");
        return (_line.ToString(), _batch);
    }

    private static SeriesDefinition Define(string field, MetricType type) => new()
    {
        Device = Device,
        Metric = $"{Measurement}.{field}",
        Labels = [new Label("source", "proc")],
        Type = type,
    };

    private static string Word(string file, int index) => File.ReadAllText(file).Split(' ')[index].Trim();

    private static long Memory(string key) => File.ReadLines("/proc/meminfo")
        .Where(line => line.StartsWith(key, StringComparison.Ordinal))
        .Select(line => long.Parse(line[key.Length..^2], CultureInfo.InvariantCulture))
        .FirstOrDefault();

    /// <summary>Jiffies since boot in which the processors were not idle.</summary>
    private static ulong Busy()
    {
        var jiffies = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(text => ulong.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return jiffies.Aggregate(0ul, (sum, j) => sum + j) - jiffies[3];
    }
}
