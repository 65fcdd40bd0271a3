using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.HostMetrics;


/// <summary>
/// The readings of one moment on their way into the outbox, and the series that they belong to. A series is made at its
/// first reading; after that a reading allocates nothing.
/// </summary>
internal sealed class HostSample(string device)
{
    // More parts (disks, interfaces) of one metric are not measured: a gateway has no such number of them.
    public const int PartsMax = 256;

    private readonly Dictionary<string, Dictionary<string, int>> _series = [];
    private ReadingOutbox? _outbox;
    private long _time;

    public ReadingBatch Batch { get; } = new();

    /// <summary>Begins the readings of a moment; with another outbox the series are looked up again.</summary>
    public void Begin(ReadingOutbox outbox, long timeMicros)
    {
        if (!ReferenceEquals(outbox, _outbox))
        {
            _series.Clear();
            _outbox = outbox;
        }

        Batch.Clear();
        _time = timeMicros;
    }

    /// <summary>A measured number, kept to its decimals.</summary>
    public void Add(in HostMetric metric, ReadOnlySpan<byte> part, double value)
    {
        if (Find(metric, part) is >= 0 and var series)
        {
            Batch.Add(series, _time, Math.Round(value, metric.Decimals));
        }
    }

    /// <summary>A count since the machine started.</summary>
    public void Add(in HostMetric metric, ReadOnlySpan<byte> part, ulong count)
    {
        if (Find(metric, part) is >= 0 and var series)
        {
            Batch.Add(series, _time, count);
        }
    }

    private int Find(in HostMetric metric, ReadOnlySpan<byte> part)
    {
        if (!_series.TryGetValue(metric.Name, out var parts))
        {
            _series.Add(metric.Name, parts = []);
        }

        Span<char> name = stackalloc char[SeriesDefinition.TextBytesMax];
        if (!Encoding.UTF8.TryGetChars(part, name, out var length))
        {
            return -1;
        }

        var lookup = parts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name[..length], out var series))
        {
            return series;
        }

        series = parts.Count < PartsMax ? _outbox!.SeriesIndex(Define(metric, name[..length].ToString())) : -1;
        parts.Add(name[..length].ToString(), series);
        return series;
    }

    private SeriesDefinition Define(in HostMetric metric, string part) => new()
    {
        Device = device,
        Metric = metric.Name,
        Labels = part.Length == 0 ? [] : [new Label(metric.PartLabel, part)],
        Type = metric.Type,
        Unit = metric.Unit,
        Decimals = metric.Type == MetricType.Float ? metric.Decimals : SeriesDefinition.DecimalsUnknown,
    };
}
