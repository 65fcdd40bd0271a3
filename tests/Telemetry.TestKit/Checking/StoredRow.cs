using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// The columns of a row of telemetry.reading, and the reading that they make. Written apart from the code that stores,
/// so that a mistake there is found here.
/// </summary>
internal readonly ref struct StoredRow
{
    private const int DecimalsShift = 8;
    private const int DecimalsMask = 15;

    // The powers of ten that are doubles exactly: the same ones by which the view divides.
    private static readonly double[] PowersOfTen =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    /// <summary>The number of the series in this database.</summary>
    public required int Series { get; init; }

    /// <summary>Microseconds since 1970 UTC.</summary>
    public required long Time { get; init; }

    public required int Flags { get; init; }

    /// <summary>The column i; null where the database has null.</summary>
    public required long? Integer { get; init; }

    /// <summary>The column f.</summary>
    public required double? Float { get; init; }

    /// <summary>True when the column t is not null; its bytes are <see cref="Text"/>.</summary>
    public required bool HasText { get; init; }

    public required ReadOnlySpan<byte> Text { get; init; }

    /// <summary>The hash of the reading; false when the columns make no reading of that series.</summary>
    public bool TryHash(SeriesIdentity series, MetricType type, out ulong hash)
    {
        var flags = (ReadingFlags)Flags & ReadingFlags.All;
        hash = 0;
        if ((flags & ReadingFlags.Null) != 0)
        {
            hash = ReadingHash.Of(series, Time, type, 0, flags);
            return Integer is null && Float is null && !HasText;
        }

        if (type == MetricType.Text)
        {
            hash = ReadingHash.OfText(series, Time, flags, Text);
            return HasText && Integer is null && Float is null;
        }

        if (HasText || !TryBits(type, out var bits))
        {
            return false;
        }

        hash = ReadingHash.Of(series, Time, type, bits, flags);
        return true;
    }

    private bool TryBits(MetricType type, out ulong bits)
    {
        var decimals = ((Flags >> DecimalsShift) & DecimalsMask) - 1;
        ulong? made = (type, Integer, Float) switch
        {
            (MetricType.Float, null, { } value) => BitConverter.DoubleToUInt64Bits(value),
            (MetricType.Float, { } scaled, null) when decimals >= 0 =>
                BitConverter.DoubleToUInt64Bits(scaled / PowersOfTen[decimals]),
            (not MetricType.Float, { } value, null) => (ulong)value,
            _ => null,
        };
        bits = made.GetValueOrDefault();
        return made is not null;
    }
}
