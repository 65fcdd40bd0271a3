using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <summary>
/// The readings of one series in one window that one transaction, or several together, stored: counts and aggregates.
/// The parts of a window can be merged in any order, because a reading is stored once and so is in one part.
/// <para>
/// Aggregates are over the values: readings that are not null, not of bad quality and not NaN. Of readings with the
/// same time the greatest value is the later one. As long as every value is an integer, or a float that is exactly an
/// integer with the decimals of its series, values stay such integers and their sum is exact.
/// </para>
/// </summary>
public sealed partial class WindowPart
{
    private Int128 _exactSum;
    private DoubleSum _sum;
    private SquaredDistances _distances;
    private double _last;
    private QuantileSketch? _sketch;
    private bool _hasQuantiles;

    /// <summary>The series.</summary>
    public SeriesEntry Series { get; private set; } = null!;

    /// <summary>The start of the window, in microseconds since 1970 UTC.</summary>
    public long Start { get; private set; }

    /// <summary>The width of the window, in seconds.</summary>
    public int WidthSeconds { get; private set; }

    /// <summary>The end of the window: the first microsecond that is not in it.</summary>
    public long End => Start + (WidthSeconds * WindowSpan.MicrosOfSecond);

    /// <summary>True when the window was complete before these readings were stored.</summary>
    public bool IsLate { get; set; }

    /// <summary>
    /// True when readings were added out of the order of their times, so that <see cref="Integral"/> has no meaning.
    /// </summary>
    public bool IsUnordered { get; private set; }

    /// <summary>All readings.</summary>
    public int Count { get; private set; }

    /// <summary>The readings that the aggregates are over.</summary>
    public int Values { get; private set; }

    /// <summary>Readings without a value.</summary>
    public int Nulls { get; private set; }

    /// <summary>Readings of uncertain quality.</summary>
    public int Uncertain { get; private set; }

    /// <summary>Readings of bad quality.</summary>
    public int Bad { get; private set; }

    /// <summary>The sum modulo 2^64 of <see cref="ReadingHash"/> over all readings.</summary>
    public ulong HashSum { get; private set; }

    /// <summary>The time of the first value; without meaning when there is none.</summary>
    public long FirstTime { get; private set; }

    /// <summary>The time of the last value.</summary>
    public long LastTime { get; private set; }

    /// <summary>
    /// True when values are integers with <see cref="Decimals"/> decimals, false when they are doubles.
    /// </summary>
    public bool IsExact { get; private set; }

    /// <summary>True when values have numbers: false for text.</summary>
    public bool HasNumbers => Series.Type != MetricType.Text;

    /// <summary>The decimals of exact values; 0 for integers and bools.</summary>
    public byte Decimals => Series.Type == MetricType.Float ? Series.Decimals : (byte)0;

    /// <summary>The bits of the value: of a long when exact, else of a double.</summary>
    public ulong MinBits { get; private set; }

    /// <inheritdoc cref="MinBits"/>
    public ulong MaxBits { get; private set; }

    /// <inheritdoc cref="MinBits"/>
    public ulong FirstBits { get; private set; }

    /// <inheritdoc cref="MinBits"/>
    public ulong LastBits { get; private set; }

    /// <summary>The sum of exact values; null when they are not exact, or it does not fit.</summary>
    public long? ExactSum =>
        IsExact && _exactSum >= long.MinValue && _exactSum <= long.MaxValue ? (long)_exactSum : null;

    /// <summary>The sum of the values as a double.</summary>
    public double Sum => IsExact ? (double)_exactSum / ScaledNumber.Power(Decimals) : _sum.Value;

    /// <summary>The sum of the squares of the values' distances from their mean.</summary>
    public double SquaredDeviations => _distances.AboutMean(Values);

    /// <summary>
    /// The sum over the values of value times the seconds until the next value, up to the last one.
    /// </summary>
    public double Integral { get; private set; }

    /// <summary>Counts of the values by size; null where quantiles are off, and for text.</summary>
    public QuantileSketch? Sketch => _hasQuantiles ? _sketch : null;

    /// <summary>Begins a new part. Objects are used again.</summary>
    public WindowPart Begin(SeriesEntry series, WindowSpan span)
    {
        (Series, Start, WidthSeconds) = (series, span.Start, span.WidthSeconds);
        (IsLate, IsUnordered, HashSum) = (false, false, 0);
        (Count, Values, Nulls, Uncertain, Bad) = (0, 0, 0, 0, 0);
        (FirstTime, LastTime, MinBits, MaxBits, FirstBits, LastBits) = (0, 0, 0, 0, 0, 0);
        IsExact = HasNumbers && (series.Type != MetricType.Float || series.Decimals <= ScaledNumber.DecimalsMax);
        (_exactSum, _sum, _distances, _last, Integral) = (0, default, default, 0, 0);
        _hasQuantiles = span.HasQuantiles && HasNumbers;
        if (_hasQuantiles)
        {
            (_sketch ??= new QuantileSketch()).Clear();
        }

        return this;
    }

    /// <summary>Becomes a copy of another part.</summary>
    public WindowPart Begin(WindowPart other)
    {
        Begin(other.Series, new WindowSpan(other.Start, other.WidthSeconds, other._hasQuantiles)).Merge(other);
        (IsLate, IsUnordered) = (other.IsLate, other.IsUnordered);
        return this;
    }

    /// <summary>Adds a reading; <paramref name="hash"/> is its <see cref="ReadingHash"/>.</summary>
    public void Add(long time, ReadingFlags flags, ulong bits, ulong hash)
    {
        Count++;
        HashSum += hash;
        var quality = (Quality)(flags & ReadingFlags.QualityMask);
        Uncertain += quality == Quality.Uncertain ? 1 : 0;
        Bad += quality >= Quality.Bad ? 1 : 0;
        if ((flags & ReadingFlags.Null) != 0)
        {
            Nulls++;
        }
        else if (quality < Quality.Bad)
        {
            AddValue(time, bits);
        }
    }

    /// <summary>Adds the readings of another part of the same window.</summary>
    public void Merge(WindowPart other)
    {
        Count += other.Count;
        Nulls += other.Nulls;
        Uncertain += other.Uncertain;
        Bad += other.Bad;
        HashSum += other.HashSum;
        if (other.Values == 0)
        {
            return;
        }

        // What one of them did not count by size nobody knows.
        _hasQuantiles &= other._hasQuantiles;
        Sketch?.Merge(other._sketch!);
        if (other.IsExact && other.Decimals != Decimals)
        {
            other = AsDoubles(other);
        }

        if (Values == 0)
        {
            TakeValues(other);
            return;
        }

        if (other.IsExact != IsExact)
        {
            ToDoubles();
            other = AsDoubles(other);
        }

        MergeTimes(other);
        MergeSums(other);
        (MinBits, MaxBits) = (Lesser(MinBits, other.MinBits), Greater(MaxBits, other.MaxBits));
        Values += other.Values;
    }

    private void AddValue(long time, ulong bits)
    {
        if (!HasNumbers)
        {
            AddTime(time, 0, 0);
            return;
        }

        var number = WindowValues.Number(Series.Type, bits);
        if (double.IsNaN(number))
        {
            return;
        }

        var exact = 0L;
        if (IsExact && !WindowValues.IsExact(Series, bits, out exact))
        {
            ToDoubles();
        }

        var own = IsExact ? (ulong)exact : BitConverter.DoubleToUInt64Bits(number);
        if (Values == 0)
        {
            (MinBits, MaxBits, _distances) = (own, own, new SquaredDistances(number));
        }
        else
        {
            (MinBits, MaxBits) = (Lesser(MinBits, own), Greater(MaxBits, own));
        }

        AddTime(time, own, number);
        if (IsExact)
        {
            _exactSum += exact;
        }
        else
        {
            _sum.Add(number);
        }

        _distances.Add(number);
        Sketch?.Add(number);
    }

    private void AddTime(long time, ulong own, double number)
    {
        if (Values++ == 0)
        {
            (FirstTime, LastTime, FirstBits, LastBits, _last) = (time, time, own, own, number);
            return;
        }

        if (time >= LastTime)
        {
            Integral += _last * ((time - LastTime) / (double)WindowSpan.MicrosOfSecond);
        }
        else
        {
            IsUnordered = true;
        }

        if (time > LastTime || (time == LastTime && HasNumbers && Greater(LastBits, own) == own))
        {
            (LastTime, LastBits, _last) = (time, own, number);
        }

        if (time < FirstTime || (time == FirstTime && HasNumbers && Lesser(FirstBits, own) == own))
        {
            (FirstTime, FirstBits) = (time, own);
        }
    }

    private void MergeTimes(WindowPart other)
    {
        if (other.FirstTime > LastTime)
        {
            Integral += (_last * ((other.FirstTime - LastTime) / (double)WindowSpan.MicrosOfSecond)) + other.Integral;
            IsUnordered |= other.IsUnordered;
        }
        else if (FirstTime > other.LastTime)
        {
            Integral += (other._last * ((FirstTime - other.LastTime) / (double)WindowSpan.MicrosOfSecond))
                + other.Integral;
            IsUnordered |= other.IsUnordered;
        }
        else
        {
            IsUnordered = true;
        }

        if (other.LastTime > LastTime
            || (other.LastTime == LastTime && HasNumbers && Greater(LastBits, other.LastBits) == other.LastBits))
        {
            (LastTime, LastBits, _last) = (other.LastTime, other.LastBits, other._last);
        }

        if (other.FirstTime < FirstTime
            || (other.FirstTime == FirstTime && HasNumbers && Lesser(FirstBits, other.FirstBits) == other.FirstBits))
        {
            (FirstTime, FirstBits) = (other.FirstTime, other.FirstBits);
        }
    }

    private void MergeSums(WindowPart other)
    {
        _exactSum += other._exactSum;
        if (!IsExact)
        {
            _sum.Add(other._sum);
        }

        _distances.Add(other._distances, other.Values);
    }

    // A copy with the values alone, for a merge that needs them as doubles.
    private static WindowPart AsDoubles(WindowPart other)
    {
        var copy = new WindowPart().Begin(other.Series, new WindowSpan(other.Start, other.WidthSeconds));
        copy.TakeValues(other);
        copy.ToDoubles();
        return copy;
    }

    private void TakeValues(WindowPart other)
    {
        Values = other.Values;
        (FirstTime, LastTime) = (other.FirstTime, other.LastTime);
        (IsExact, IsUnordered) = (other.IsExact, other.IsUnordered);
        (MinBits, MaxBits, FirstBits, LastBits) = (other.MinBits, other.MaxBits, other.FirstBits, other.LastBits);
        (_exactSum, _sum, _distances, _last) = (other._exactSum, other._sum, other._distances, other._last);
        Integral = other.Integral;
    }

    private void ToDoubles()
    {
        if (!IsExact)
        {
            return;
        }

        (_sum, _exactSum) = (new DoubleSum((double)_exactSum / ScaledNumber.Power(Decimals)), 0);
        (MinBits, MaxBits) = (
            WindowValues.ToDouble(MinBits, Decimals), WindowValues.ToDouble(MaxBits, Decimals));
        (FirstBits, LastBits) = (
            WindowValues.ToDouble(FirstBits, Decimals), WindowValues.ToDouble(LastBits, Decimals));
        IsExact = false;
    }

    private ulong Lesser(ulong a, ulong b) => WindowValues.Compare(IsExact, a, b) <= 0 ? a : b;

    private ulong Greater(ulong a, ulong b) => WindowValues.Compare(IsExact, a, b) >= 0 ? a : b;
}
