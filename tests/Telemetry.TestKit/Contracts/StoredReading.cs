using System.Text;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Contracts;

/// <summary>A reading as a store gives it back: the bits of its number, or its text; neither when it is null.</summary>
public sealed record StoredReading(SeriesIdentity Series, long Time, ReadingFlags Flags, ulong? Bits, string? Text)
{
    public static StoredReading Number(SeriesEntry series, long time, ulong bits, ReadingFlags flags = 0) =>
        new(series.Identity, time, flags, bits, null);

    public static StoredReading Of(SeriesEntry series, long time, ReadingFlags flags, ReadOnlySpan<byte> text) =>
        new(series.Identity, time, flags, null, Encoding.UTF8.GetString(text));

    public static StoredReading Null(SeriesEntry series, long time, ReadingFlags flags) =>
        new(series.Identity, time, flags | ReadingFlags.Null, null, null);
}
