using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Storage.Windows;

/// <summary>The numbers that a window aggregates.</summary>
internal static class WindowValues
{
    /// <summary>
    /// True when a value is an integer, or a float that is exactly one with the decimals of its series.
    /// </summary>
    public static bool IsExact(SeriesEntry series, ulong bits, out long exact)
    {
        exact = (long)bits;
        return series.Type switch
        {
            MetricType.Float => ScaledNumber.TryScale(bits, series.Decimals, out exact),
            MetricType.UInt => exact >= 0,
            _ => true,
        };
    }

    /// <summary>The number of a value as a double.</summary>
    public static double Number(MetricType type, ulong bits) => type switch
    {
        MetricType.Float => BitConverter.UInt64BitsToDouble(bits),
        MetricType.Int => (long)bits,
        _ => bits,
    };

    /// <summary>Compares the bits of two values, both exact or both doubles.</summary>
    public static int Compare(bool areExact, ulong a, ulong b) => areExact
        ? ((long)a).CompareTo((long)b)
        : BitConverter.UInt64BitsToDouble(a).CompareTo(BitConverter.UInt64BitsToDouble(b));

    /// <summary>The bits of the double of an exact value.</summary>
    public static ulong ToDouble(ulong exact, byte decimals) =>
        BitConverter.DoubleToUInt64Bits((long)exact / ScaledNumber.Power(decimals));
}
