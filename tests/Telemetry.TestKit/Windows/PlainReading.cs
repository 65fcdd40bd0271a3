using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Windows;

/// <summary>A reading of a window; the bits of a text are 0.</summary>
public readonly record struct PlainReading(long Time, ReadingFlags Flags, ulong Bits, ulong Hash)
{
    /// <summary>True when aggregates are over it.</summary>
    public bool Counts(MetricType type) => (Flags & ReadingFlags.Null) == 0
        && (Flags & ReadingFlags.QualityMask) < (ReadingFlags)(byte)Quality.Bad && !double.IsNaN(Number(type));

    /// <summary>Its value as a double; 0 for a text.</summary>
    public double Number(MetricType type) => type switch
    {
        MetricType.Float => BitConverter.UInt64BitsToDouble(Bits),
        MetricType.Int => (long)Bits,
        MetricType.Text => 0,
        _ => Bits,
    };
}
