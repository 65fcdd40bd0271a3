using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Windows;

namespace Telemetry.TestKit.Contracts;

/// <summary>A part of a window as a store returns it. Values that the part does not have are null.</summary>
public sealed record StoredPart(SeriesIdentity Series, WindowSpan Window)
{
    public bool IsLate { get; init; }

    public bool IsUnordered { get; init; }

    /// <summary>Readings, values, nulls, uncertain, bad.</summary>
    public required (int Readings, int Values, int Nulls, int Uncertain, int Bad) Counts { get; init; }

    public ulong HashSum { get; init; }

    /// <summary>Times of the first and the last value.</summary>
    public (long First, long Last)? Times { get; init; }

    /// <summary>The decimals of exact values.</summary>
    public int? Decimals { get; init; }

    /// <summary>The sum of exact values, if it fits 64 bits.</summary>
    public long? ExactSum { get; init; }

    /// <summary>The bits of the sum, if there is no exact one.</summary>
    public ulong? SumBits { get; init; }

    /// <summary>The bits of minimum, maximum, first and last: of integers when exact, else of doubles.</summary>
    public (ulong Min, ulong Max, ulong First, ulong Last)? Bits { get; init; }

    public ulong? SquaresBits { get; init; }

    public ulong? IntegralBits { get; init; }

    /// <summary>The bytes of the sketch, in hexadecimal.</summary>
    public string? Sketch { get; init; }

    /// <summary>What a store has to return of a part.</summary>
    public static StoredPart Of(WindowPart part)
    {
        var hasNumbers = part.Values > 0 && part.HasNumbers;
        var exact = hasNumbers && part.IsExact;
        return new StoredPart(part.Series.Identity, new WindowSpan(part.Start, part.WidthSeconds))
        {
            IsLate = part.IsLate,
            IsUnordered = part.IsUnordered,
            Counts = (part.Count, part.Values, part.Nulls, part.Uncertain, part.Bad),
            HashSum = part.HashSum,
            Times = part.Values > 0 ? (part.FirstTime, part.LastTime) : null,
            Decimals = exact ? part.Decimals : null,
            ExactSum = exact ? part.ExactSum : null,
            SumBits = hasNumbers && part.ExactSum is null ? BitConverter.DoubleToUInt64Bits(part.Sum) : null,
            Bits = hasNumbers ? (part.MinBits, part.MaxBits, part.FirstBits, part.LastBits) : null,
            SquaresBits = hasNumbers ? BitConverter.DoubleToUInt64Bits(part.SquaredDeviations) : null,
            IntegralBits = hasNumbers && !part.IsUnordered ? BitConverter.DoubleToUInt64Bits(part.Integral) : null,
            Sketch = hasNumbers && part.Sketch is { } sketch ? Bytes(sketch) : null,
        };
    }

    private static string Bytes(QuantileSketch sketch)
    {
        var bytes = new byte[QuantileSketch.BytesMax];
        return Convert.ToHexString(bytes.AsSpan(0, sketch.WriteTo(bytes)));
    }
}

/// <summary>A revision of a window as a store returns it.</summary>
public sealed record StoredRevision(
    SeriesIdentity Series, WindowSpan Window, GatewayId Gateway, FrameKey Frame, RevisionCause Cause, int Readings,
    int Values, double? Sum)
{
    /// <summary>What a store has to return of a revision.</summary>
    public static StoredRevision Of(WindowRevisionRow row) => new(
        row.Part.Series.Identity, new WindowSpan(row.Part.Start, row.Part.WidthSeconds), row.Gateway, row.Frame,
        row.Cause, row.Part.Count, row.Part.Values, row.Part.Values > 0 && row.Part.HasNumbers ? row.Part.Sum : null);
}
