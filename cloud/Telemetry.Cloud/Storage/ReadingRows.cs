using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Cloud.Storage;

/// <summary>
/// Readings on their way into the database, as columns: device key, series key, type, time, flags, bits (text beside).
/// Reusable; one thread at a time; nothing is allocated a reading once it is warm.
/// </summary>
public sealed class ReadingRows
{
    private ulong[] _devices = new ulong[1024];
    private ulong[] _series = new ulong[1024];
    private MetricType[] _types = new MetricType[1024];
    private long[] _times = new long[1024];
    private ReadingFlags[] _flags = new ReadingFlags[1024];
    private ulong[] _bits = new ulong[1024];
    private byte[] _decimals = new byte[1024];
    private byte[] _text = [];
    private int _textLength;

    public int Count { get; private set; }

    public ReadOnlySpan<ulong> Devices => _devices.AsSpan(0, Count);

    public ReadOnlySpan<ulong> Series => _series.AsSpan(0, Count);

    public ReadOnlySpan<MetricType> Types => _types.AsSpan(0, Count);

    /// <summary>Event times in microseconds since 1970 UTC.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    public ReadOnlySpan<ReadingFlags> Flags => _flags.AsSpan(0, Count);

    /// <summary>Value bits; for text its place, see <see cref="Text"/>.</summary>
    public ReadOnlySpan<ulong> Bits => _bits.AsSpan(0, Count);

    /// <summary>
    /// How many decimals a Float value has; <see cref="SeriesDefinition.DecimalsUnknown"/> when not known.
    /// </summary>
    public ReadOnlySpan<byte> Decimals => _decimals.AsSpan(0, Count);

    public int TextBytes => _textLength;

    public ReadOnlySpan<byte> Text(ulong bits) => _text.AsSpan((int)(bits >> 32), (int)(uint)bits);

    public void Clear() => Count = _textLength = 0;

    /// <summary>Takes the rows back that were added since there were <paramref name="count"/> of them.</summary>
    public void Truncate(int count, int textBytes) => (Count, _textLength) = (count, textBytes);

    /// <summary>
    /// Adds a row. <paramref name="decimals"/> is the series' (<see cref="SeriesDefinition.Decimals"/>): a database may
    /// then keep a float as a scaled integer, where it comes back bit for bit.
    /// </summary>
    public void Add(
        ulong device, ulong series, MetricType type, long time, ReadingFlags flags, ulong bits,
        byte decimals = SeriesDefinition.DecimalsUnknown)
    {
        if (Count == _devices.Length)
        {
            Grow();
        }

        _devices[Count] = device;
        _series[Count] = series;
        _types[Count] = type;
        _times[Count] = time;
        _flags[Count] = flags;
        _bits[Count] = bits;
        _decimals[Count] = decimals;
        Count++;
    }

    public void AddText(ulong device, ulong series, long time, ReadingFlags flags, ReadOnlySpan<byte> utf8)
    {
        if (_text.Length - _textLength < utf8.Length)
        {
            Array.Resize(ref _text, Math.Max(Math.Max(4096, _text.Length * 2), _textLength + utf8.Length));
        }

        utf8.CopyTo(_text.AsSpan(_textLength));
        var bits = ((ulong)_textLength << 32) | (uint)utf8.Length;
        _textLength += utf8.Length;
        Add(device, series, MetricType.Text, time, flags, bits);
    }

    /// <summary>Adds all rows of others.</summary>
    public void AddAll(ReadingRows others)
    {
        for (var row = 0; row < others.Count; row++)
        {
            var (device, series, type) = (others._devices[row], others._series[row], others._types[row]);
            var (time, flags, bits) = (others._times[row], others._flags[row], others._bits[row]);
            if (type == MetricType.Text && (flags & ReadingFlags.Null) == 0)
            {
                AddText(device, series, time, flags, others.Text(bits));
            }
            else
            {
                Add(device, series, type, time, flags, bits, others._decimals[row]);
            }
        }
    }

    private void Grow()
    {
        var size = _devices.Length * 2;
        Array.Resize(ref _devices, size);
        Array.Resize(ref _series, size);
        Array.Resize(ref _types, size);
        Array.Resize(ref _times, size);
        Array.Resize(ref _flags, size);
        Array.Resize(ref _bits, size);
        Array.Resize(ref _decimals, size);
    }
}
