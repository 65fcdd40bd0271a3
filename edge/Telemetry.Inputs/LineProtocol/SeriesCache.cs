using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;


/// <summary>
/// Finds the series of a field by the bytes of its line's head and of its key, as they stand there; only what was never
/// seen so far is taken apart. At its limits it forgets everything and learns anew: that costs time, never a reading.
/// Belongs to one outbox; used on its loop.
/// </summary>
internal sealed class SeriesCache(ReadingOutbox outbox, GatewayId gateway, string deviceTag, int entriesMax)
{
    /// <summary>How many bytes an entry may have on average, before the bytes are what limits the cache.</summary>
    private const int EntryBytes = 128;

    private static readonly MetricType[] Types = Enum.GetValues<MetricType>();

    private readonly ByteTable _table = new(entriesMax, entriesMax * EntryBytes);
    private MetricType[] _types = new MetricType[64];
    private int _heads;

    /// <summary>How often it forgot everything.</summary>
    public long Cleared { get; private set; }

    /// <summary>The number of a line's head for <see cref="TryFind"/>; 0 when it is new, or forgotten.</summary>
    public int Head(ReadOnlySpan<byte> head) => Math.Max(0, _table.Find(0, head, out _));

    /// <summary>
    /// The series of a field under a head that has a number; -1 when it must be resolved. Allocates nothing.
    /// </summary>
    public int TryFind(int head, ReadOnlySpan<byte> key, out MetricType type)
    {
        var series = head == 0 ? -1 : _table.Find(head, key, out _);
        type = series < 0 ? default : _types[series];
        return series;
    }

    /// <summary>
    /// Resolves a field that was not found, and remembers it. -1 on an error, which <paramref name="error"/> describes.
    /// </summary>
    public int Resolve(ReadOnlySpan<byte> head, ReadOnlySpan<byte> key, MetricType type, out string error)
    {
        var read = LineHead.TryRead(head, deviceTag, gateway.Value, out error);
        var field = read is null ? null : LineHead.ReadFieldKey(key, out error);
        if (read is null || field is null)
        {
            return -1;
        }

        var metric = $"{read.Measurement}.{field}";
        if (Encoding.UTF8.GetByteCount(metric) > SeriesDefinition.TextBytesMax)
        {
            error = $"the metric {metric[..40]}… has more than {SeriesDefinition.TextBytesMax} bytes";
            return -1;
        }

        var series = Find(
            new SeriesDefinition { Device = read.Device, Metric = metric, Labels = read.Labels, Type = type },
            ref error);
        if (series >= 0)
        {
            Remember(head, key, series);
        }

        return series;
    }

    /// <summary>What to say of a value whose type is not its series'.</summary>
    public static string Conflict(MetricType is_, MetricType was) =>
        $"field type conflict: the value is {Word(is_)}, the field already exists as {Word(was)}";

    private int Find(SeriesDefinition wanted, ref string error)
    {
        foreach (var type in Types)
        {
            var index = outbox.FindSeries(wanted with { Type = type });
            if (index >= 0)
            {
                // The one that was there first decides the type, over restarts too.
                Know(index, type);
                return index;
            }
        }

        if (outbox.SeriesFull)
        {
            error = "too many series: the outbox has as many as it allows";
            return -1;
        }

        try
        {
            var index = outbox.SeriesIndex(wanted);
            Know(index, wanted.Type);
            return index;
        }
        catch (ArgumentException e)
        {
            error = e.Message;
            return -1;
        }
    }

    private void Know(int series, MetricType type)
    {
        if (series >= _types.Length)
        {
            Array.Resize(ref _types, Math.Max(_types.Length * 2, series + 1));
        }

        _types[series] = type;
    }

    /// <summary>The type of a series that was found or resolved.</summary>
    public MetricType TypeOf(int series) => _types[series];

    private void Remember(ReadOnlySpan<byte> head, ReadOnlySpan<byte> key, int series)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var number = _table.Find(0, head, out var hash);
            if (number < 0 && _table.TryAdd(hash, 0, head, _heads + 1))
            {
                number = ++_heads;
            }

            if (number > 0)
            {
                _ = _table.Find(number, key, out hash);
                if (_table.TryAdd(hash, number, key, series))
                {
                    return;
                }
            }

            _table.Clear();
            _heads = 0;
            Cleared++;
        }
    }

    private static string Word(MetricType type) => type switch
    {
        MetricType.Float => "a float",
        MetricType.Int => "an integer",
        MetricType.UInt => "an unsigned integer",
        MetricType.Bool => "a bool",
        _ => "a string",
    };
}
