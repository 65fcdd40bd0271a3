using System.Numerics;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Signed integers as unsigned ones, small where they are near 0: 0, -1, 1, -2, … become 0, 1, 2, 3, …
/// </summary>
internal static class ZigZag
{
    public static ulong Of(long value) => (ulong)((value << 1) ^ (value >> 63));

    public static Vector<ulong> Of(Vector<long> value) =>
        Vector.AsVectorUInt64((value << 1) ^ Vector.LessThan(value, Vector<long>.Zero));

    public static Vector<long> Back(Vector<ulong> value) =>
        Vector.AsVectorInt64(value >>> 1) ^ -Vector.AsVectorInt64(value & Vector<ulong>.One);

    public static long Back(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}
