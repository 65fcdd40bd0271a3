using System.Text;
using Telemetry.Model.Readings;

namespace Telemetry.Testing.Contracts;

/// <summary>A reading as a store gives it back: the bits of its number, or its text; neither when it is null.</summary>
public sealed record StoredReading(
    ulong Device, ulong Series, long Time, ReadingFlags Flags, ulong? Bits, string? Text)
{
    public static StoredReading Number(ulong device, ulong series, long time, ulong bits, ReadingFlags flags = 0) =>
        new(device, series, time, flags, bits, null);

    public static StoredReading Of(
        ulong device, ulong series, long time, ReadingFlags flags, ReadOnlySpan<byte> text) =>
        new(device, series, time, flags, null, Encoding.UTF8.GetString(text));
}
