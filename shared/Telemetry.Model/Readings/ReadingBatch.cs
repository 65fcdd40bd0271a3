using System.Text;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Readings;

/// <summary>
/// Readings as columns: row i is (Series[i], Times[i], Bits[i], Flags[i]). Reusable: <see cref="Clear"/> keeps the
/// arrays, so that nothing is allocated after a warm-up. Used by one thread at a time; adding a row never changes
/// another.
/// </summary>
public sealed class ReadingBatch(int capacity = 256)
{
    /// <summary>The longest text value, in bytes of UTF-8.</summary>
    public const int TextBytesMax = 4096;

    /// <summary>With more series than this for each row, counting them would cost more than comparing rows.</summary>
    private const int SeriesOfRow = 16;

    private int[] _series = new int[capacity];
    private long[] _times = new long[capacity];
    private ulong[] _bits = new ulong[capacity];
    private ReadingFlags[] _flags = new ReadingFlags[capacity];
    private int[] _ends = [];
    private Comparison<int>? _bySeriesAndTime;
    private byte[] _text = [];
    private int _textLength;

    /// <summary>The number of readings.</summary>
    public int Count { get; private set; }

    /// <summary>Each reading's series: its index in the gateway's list of series.</summary>
    public ReadOnlySpan<int> Series => _series.AsSpan(0, Count);

    /// <summary>Each reading's event time in microseconds since 1970 UTC.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    /// <summary>Each reading's value as 64 bits, see <see cref="MetricType"/>; 0 where it is null.</summary>
    public ReadOnlySpan<ulong> Bits => _bits.AsSpan(0, Count);

    /// <summary>Each reading's quality and marks.</summary>
    public ReadOnlySpan<ReadingFlags> Flags => _flags.AsSpan(0, Count);

    /// <summary>The number of bytes of text.</summary>
    public int TextBytes => _textLength;

    /// <summary>The text of a reading whose series is of type Text, from its bits.</summary>
    public ReadOnlySpan<byte> Text(ulong bits) => _text.AsSpan((int)(bits >> 32), (int)(uint)bits);

    /// <summary>Removes all readings and keeps the arrays.</summary>
    public void Clear() => Count = _textLength = 0;

    /// <summary>Adds a reading of a number or a bool, or a null one.</summary>
    public void Add(int series, long timeMicros, ulong bits, ReadingFlags flags = ReadingFlags.None)
    {
        if (Count == _series.Length)
        {
            Grow();
        }

        _series[Count] = series;
        _times[Count] = timeMicros;
        _bits[Count] = (flags & ReadingFlags.Null) == 0 ? bits : 0;
        _flags[Count] = flags;
        Count++;
    }

    /// <summary>Adds a reading of type Float.</summary>
    public void Add(int series, long timeMicros, double value) =>
        Add(series, timeMicros, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>
    /// Adds a reading of type Text; the bytes are copied. Throws when they are longer than <see cref="TextBytesMax"/>.
    /// </summary>
    public void AddText(int series, long timeMicros, ReadOnlySpan<byte> utf8, ReadingFlags flags = ReadingFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(utf8.Length, TextBytesMax);
        if (_text.Length - _textLength < utf8.Length)
        {
            Array.Resize(ref _text, Math.Max(Math.Max(256, _text.Length * 2), _textLength + utf8.Length));
        }

        utf8.CopyTo(_text.AsSpan(_textLength));
        var bits = ((ulong)_textLength << 32) | (uint)utf8.Length;
        _textLength += utf8.Length;
        Add(series, timeMicros, bits, flags);
    }

    /// <summary>Adds a reading of type Text.</summary>
    public void AddText(int series, long timeMicros, string value) =>
        AddText(series, timeMicros, Encoding.UTF8.GetBytes(value));

    /// <summary>
    /// Adds row <paramref name="row"/> of another batch; its series' type decides whether text is copied.
    /// </summary>
    public void AddFrom(ReadingBatch other, int row, MetricType type)
    {
        if (type == MetricType.Text && (other._flags[row] & ReadingFlags.Null) == 0)
        {
            AddText(other._series[row], other._times[row], other.Text(other._bits[row]), other._flags[row]);
        }
        else
        {
            Add(other._series[row], other._times[row], other._bits[row], other._flags[row]);
        }
    }

    /// <summary>
    /// Fills <paramref name="order"/> with row numbers in the order (series, time), equal ones in the order in which
    /// they were added. <paramref name="order"/> is at least <see cref="Count"/> long. Rows of a series are usually
    /// added in the order of their times; then this takes two passes.
    /// </summary>
    public void Order(Span<int> order)
    {
        order = order[..Count];
        var ordered = IsOrdered(out var seriesMax);
        if (!ordered && seriesMax / SeriesOfRow <= Count)
        {
            OrderBySeries(order, seriesMax);
            return;
        }

        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        if (!ordered)
        {
            order.Sort(_bySeriesAndTime ??= CompareBySeriesAndTime);
        }
    }

    /// <summary>
    /// Adds <paramref name="count"/> rows that the caller fills; the spans are valid until the next row is added.
    /// </summary>
    internal Rows Extend(int count)
    {
        while (_series.Length - Count < count)
        {
            Grow();
        }

        var start = Count;
        Count += count;
        return new Rows(
            _series.AsSpan(start, count), _times.AsSpan(start, count), _bits.AsSpan(start, count),
            _flags.AsSpan(start, count));
    }

    /// <summary>Adds bytes of text that the caller fills, and returns their offset; rows may share them.</summary>
    internal Span<byte> ExtendText(int bytes, out int offset)
    {
        if (_text.Length - _textLength < bytes)
        {
            Array.Resize(ref _text, Math.Max(Math.Max(256, _text.Length * 2), _textLength + bytes));
        }

        offset = _textLength;
        _textLength += bytes;
        return _text.AsSpan(offset, bytes);
    }

    private bool IsOrdered(out int seriesMax)
    {
        var ordered = true;
        seriesMax = 0;
        for (var i = 0; i < Count; i++)
        {
            seriesMax = Math.Max(seriesMax, _series[i]);
            ordered &= i == 0 || _series[i - 1] < _series[i]
                || (_series[i - 1] == _series[i] && _times[i - 1] <= _times[i]);
        }

        return ordered;
    }

    // A counting sort by series, which keeps rows of one series in the order in which they were added; then each series
    // whose times are not in order is sorted for itself.
    private void OrderBySeries(Span<int> order, int seriesMax)
    {
        if (_ends.Length <= seriesMax)
        {
            _ends = new int[Math.Max(256, (seriesMax + 1) * 2)];
        }

        var ends = _ends.AsSpan(0, seriesMax + 1);
        ends.Clear();
        foreach (var series in Series)
        {
            ends[series]++;
        }

        var start = 0;
        foreach (ref var end in ends)
        {
            (end, start) = (start, start + end);
        }

        for (var i = 0; i < order.Length; i++)
        {
            order[ends[_series[i]]++] = i;
        }

        start = 0;
        foreach (var end in ends)
        {
            OrderByTime(order[start..end]);
            start = end;
        }
    }

    private void OrderByTime(Span<int> rows)
    {
        for (var i = 1; i < rows.Length; i++)
        {
            if (_times[rows[i - 1]] > _times[rows[i]])
            {
                rows.Sort(_bySeriesAndTime ??= CompareBySeriesAndTime);
                return;
            }
        }
    }

    private int CompareBySeriesAndTime(int a, int b) =>
        _series[a] != _series[b] ? _series[a].CompareTo(_series[b])
        : _times[a] != _times[b] ? _times[a].CompareTo(_times[b])
        : a.CompareTo(b);

    private void Grow()
    {
        var size = Math.Max(16, _series.Length * 2);
        Array.Resize(ref _series, size);
        Array.Resize(ref _times, size);
        Array.Resize(ref _bits, size);
        Array.Resize(ref _flags, size);
    }

    /// <summary>Consecutive rows, to be filled.</summary>
    internal readonly ref struct Rows(Span<int> series, Span<long> times, Span<ulong> bits, Span<ReadingFlags> flags)
    {
        public readonly Span<int> Series = series;
        public readonly Span<long> Times = times;
        public readonly Span<ulong> Bits = bits;
        public readonly Span<ReadingFlags> Flags = flags;
    }
}
