using System.Globalization;
using System.Numerics;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Windows;

/// <summary>
/// The aggregates of a window, computed from all of its readings at once in the plainest way: what any merge of parts
/// has to give.
/// </summary>
public sealed class PlainWindow
{
    private readonly PlainReading[] _all;
    private readonly (long Time, double Number)[] _values;
    private readonly MetricType _type;

    public PlainWindow(MetricType type, IEnumerable<PlainReading> readings)
    {
        (_type, _all) = (type, [.. readings]);
        _values = [.. _all.Where(r => r.Counts(type)).Select(r => (r.Time, r.Number(type))).Order()];
    }

    /// <summary>The sum of the values' sizes: differences are judged against it.</summary>
    public double Size => _values.Sum(v => Math.Abs(v.Number));

    public double Sum => _values.Sum(v => v.Number);

    public double SquaredDeviations
    {
        get
        {
            var mean = _values.Average(v => v.Number);
            return _values.Sum(v => (v.Number - mean) * (v.Number - mean));
        }
    }

    public double Integral =>
        _values.Skip(1).Select((v, i) => _values[i].Number * ((v.Time - _values[i].Time) / 1e6)).Sum();

    /// <summary>Says how a part differs from it; empty when it does not.</summary>
    public string Differences(WindowPart part)
    {
        var counts = (_all.Length, _values.Length, Count(ReadingFlags.Null, ReadingFlags.Null),
            Count(ReadingFlags.QualityMask, (ReadingFlags)(byte)Quality.Uncertain),
            _all.Count(r => (r.Flags & ReadingFlags.QualityMask) >= (ReadingFlags)(byte)Quality.Bad));
        var hash = _all.Aggregate(0ul, (sum, r) => sum + r.Hash);
        return string.Join("; ", new[]
        {
            Same("counts", counts, (part.Count, part.Values, part.Nulls, part.Uncertain, part.Bad)),
            Same("hash", hash, part.HashSum),
            _values.Length == 0 ? ""
                : Same("times", (_values[0].Time, _values[^1].Time), (part.FirstTime, part.LastTime)),
            _values.Length == 0 || _type == MetricType.Text ? "" : Numbers(part),
        }.Where(t => t != ""));
    }

    private string Numbers(WindowPart part) => string.Join("; ", new[]
    {
        Same("form", IsExact(part.Series), part.IsExact),
        Same("minimum", _values.Min(v => v.Number), Number(part, part.MinBits)),
        Same("maximum", _values.Max(v => v.Number), Number(part, part.MaxBits)),
        Same("first", _values[0].Number, Number(part, part.FirstBits)),
        Same("last", _values[^1].Number, Number(part, part.LastBits)),
        part.IsExact ? Same("exact sum", ExactSum(part.Series), part.ExactSum) : "",
        Near("sum", Sum, part.Sum, 1e-12 * Size),
        Near(
            "squares", SquaredDeviations, part.SquaredDeviations,
            (1e-9 * SquaredDeviations) + (1e-13 * _values.Sum(v => v.Number * v.Number))),
        part.IsUnordered ? "" : Near("integral", Integral, part.Integral, 1e-12 * 300 * Size),
        part.Sketch is { } sketch ? Same("counts by size", Bytes(Sketch()), Bytes(sketch)) : "",
    }.Where(t => t != ""));

    private QuantileSketch Sketch()
    {
        var sketch = new QuantileSketch();
        foreach (var (_, number) in _values)
        {
            sketch.Add(number);
        }

        return sketch;
    }

    private static string Bytes(QuantileSketch sketch)
    {
        var bytes = new byte[QuantileSketch.BytesMax];
        return Convert.ToHexString(bytes.AsSpan(0, sketch.WriteTo(bytes)));
    }

    private bool IsExact(SeriesEntry series) => _all.Where(r => r.Counts(_type)).All(r => _type switch
    {
        MetricType.Float => ScaledNumber.TryScale(r.Bits, series.Decimals, out _),
        MetricType.UInt => r.Bits <= long.MaxValue,
        _ => true,
    });

    private long? ExactSum(SeriesEntry series)
    {
        var sum = _all.Where(r => r.Counts(_type)).Aggregate(BigInteger.Zero, (total, r) => total + (
            _type == MetricType.Float && ScaledNumber.TryScale(r.Bits, series.Decimals, out var scaled)
                ? scaled : (long)r.Bits));
        return sum >= long.MinValue && sum <= long.MaxValue ? (long)sum : null;
    }

    private int Count(ReadingFlags mask, ReadingFlags flags) => _all.Count(r => (r.Flags & mask) == flags);

    private static double Number(WindowPart part, ulong bits) => part.IsExact
        ? (long)bits / ScaledNumber.Power(part.Decimals)
        : BitConverter.UInt64BitsToDouble(bits);

    private static string Same<T>(string what, T expected, T found) =>
        EqualityComparer<T>.Default.Equals(expected, found)
            ? "" : string.Create(CultureInfo.InvariantCulture, $"{what} {found} in place of {expected}");

    // Infinite values, and sums that overflow, give what the order of the additions makes of them.
    private static string Near(string what, double expected, double found, double tolerance) =>
        !double.IsFinite(tolerance) || tolerance > 1e280 || Math.Abs(expected - found) <= tolerance
            ? "" : string.Create(CultureInfo.InvariantCulture, $"{what} {found:R} in place of {expected:R}");
}
