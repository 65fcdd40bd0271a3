using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage;

/// <summary>
/// Readings to be stored, as columns: series, time, flags, bits (texts are separate). Their series are registered, or
/// the same commit registers them. Reusable; used by one thread at a time. After a warm-up nothing is allocated for
/// each reading.
/// </summary>
public sealed class ReadingBuffer
{
    private SeriesEntry[] _series = new SeriesEntry[1024];
    private long[] _times = new long[1024];
    private ReadingFlags[] _flags = new ReadingFlags[1024];
    private ulong[] _bits = new ulong[1024];
    private byte[] _text = [];
    private int _textLength;

    public int Count { get; private set; }

    public ReadOnlySpan<SeriesEntry> Series => _series.AsSpan(0, Count);

    /// <summary>Event times in microseconds since 1970 UTC.</summary>
    public ReadOnlySpan<long> Times => _times.AsSpan(0, Count);

    public ReadOnlySpan<ReadingFlags> Flags => _flags.AsSpan(0, Count);

    /// <summary>The bits of the values; for a text its place, see <see cref="Text"/>.</summary>
    public ReadOnlySpan<ulong> Bits => _bits.AsSpan(0, Count);

    public int TextBytes => _textLength;

    /// <summary>False when no row has a text; true when one has, or had before it was removed.</summary>
    public bool HasTexts { get; private set; }

    public ReadOnlySpan<byte> Text(ulong bits) => _text.AsSpan((int)(bits >> 32), (int)(uint)bits);

    /// <summary>True when a row has a text: its series is of type text, and the value is not null.</summary>
    public bool IsText(int row) =>
        _series[row].Type == MetricType.Text && (_flags[row] & ReadingFlags.Null) == 0;

    /// <summary>The <see cref="ReadingHash"/> of a row.</summary>
    public ulong HashOf(int row)
    {
        var series = _series[row];
        return IsText(row)
            ? ReadingHash.OfText(series.Identity, _times[row], _flags[row], Text(_bits[row]))
            : ReadingHash.Of(series.Identity, _times[row], series.Type, _bits[row], _flags[row]);
    }

    public void Clear() => (Count, _textLength, HasTexts) = (0, 0, false);

    /// <summary>Removes the rows that were added after there were <paramref name="count"/> of them.</summary>
    public void Truncate(int count, int textBytes) => (Count, _textLength) = (count, textBytes);

    /// <summary>
    /// Adds a row. If its series has a number of decimals, a database may store a float as a scaled integer, provided
    /// that it converts back to exactly the same bits.
    /// </summary>
    public void Add(SeriesEntry series, long time, ReadingFlags flags, ulong bits)
    {
        if (Count == _series.Length)
        {
            Grow();
        }

        _series[Count] = series;
        _times[Count] = time;
        _flags[Count] = flags;
        _bits[Count] = bits;
        Count++;
    }

    public void AddText(SeriesEntry series, long time, ReadingFlags flags, ReadOnlySpan<byte> utf8)
    {
        if (_text.Length - _textLength < utf8.Length)
        {
            Array.Resize(ref _text, Math.Max(Math.Max(4096, _text.Length * 2), _textLength + utf8.Length));
        }

        utf8.CopyTo(_text.AsSpan(_textLength));
        var bits = ((ulong)_textLength << 32) | (uint)utf8.Length;
        _textLength += utf8.Length;
        HasTexts = true;
        Add(series, time, flags, bits);
    }

    /// <summary>Adds a row of a batch, whose series is <paramref name="series"/>.</summary>
    public void AddFrom(ReadingBatch batch, int row, SeriesEntry series)
    {
        var (time, flags, bits) = (batch.Times[row], batch.Flags[row], batch.Bits[row]);
        if (series.Type == MetricType.Text && (flags & ReadingFlags.Null) == 0)
        {
            AddText(series, time, flags, batch.Text(bits));
        }
        else
        {
            Add(series, time, flags, bits);
        }
    }

    /// <summary>
    /// Adds rows of a batch, <paramref name="from"/> to before <paramref name="to"/>, whose series is
    /// <paramref name="series"/>.
    /// </summary>
    public void AddFrom(ReadingBatch batch, int from, int to, SeriesEntry series)
    {
        if (series.Type == MetricType.Text)
        {
            for (var row = from; row < to; row++)
            {
                AddFrom(batch, row, series);
            }

            return;
        }

        while (_series.Length - Count < to - from)
        {
            Grow();
        }

        _series.AsSpan(Count, to - from).Fill(series);
        batch.Times[from..to].CopyTo(_times.AsSpan(Count));
        batch.Flags[from..to].CopyTo(_flags.AsSpan(Count));
        batch.Bits[from..to].CopyTo(_bits.AsSpan(Count));
        Count += to - from;
    }

    /// <summary>Adds one row of another buffer.</summary>
    public void AddRow(ReadingBuffer others, int row)
    {
        var (series, time, flags, bits) = (
            others._series[row], others._times[row], others._flags[row], others._bits[row]);
        if (others.IsText(row))
        {
            AddText(series, time, flags, others.Text(bits));
        }
        else
        {
            Add(series, time, flags, bits);
        }
    }

    /// <summary>Adds all rows of another buffer.</summary>
    public void AddAll(ReadingBuffer others)
    {
        for (var row = 0; row < others.Count; row++)
        {
            AddRow(others, row);
        }
    }

    private void Grow()
    {
        var size = _series.Length * 2;
        Array.Resize(ref _series, size);
        Array.Resize(ref _times, size);
        Array.Resize(ref _flags, size);
        Array.Resize(ref _bits, size);
    }
}
