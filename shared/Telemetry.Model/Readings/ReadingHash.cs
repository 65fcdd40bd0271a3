using System.Buffers.Binary;
using System.IO.Hashing;

namespace Telemetry.Model.Readings;

/// <summary>
/// The hash of one reading, and its sum mod 2^64 over many: XxHash64 over (series key, time, type, value bits, flags),
/// for text over (series key, time, type, flags, bytes). Agent, processor, reconciler and journals share this code; the
/// sum does not depend on order.
/// </summary>
public static class ReadingHash
{
    /// <summary>The hash of a reading of a number or a bool, or of a null one (bits 0).</summary>
    public static ulong Of(ulong seriesKey, long timeMicros, MetricType type, ulong bits, ReadingFlags flags)
    {
        Span<byte> bytes = stackalloc byte[26];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, seriesKey);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], timeMicros);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], bits);
        bytes[24] = (byte)type;
        bytes[25] = (byte)flags;
        return XxHash64.HashToUInt64(bytes);
    }

    /// <summary>The hash of a reading of text.</summary>
    public static ulong OfText(ulong seriesKey, long timeMicros, ReadingFlags flags, ReadOnlySpan<byte> utf8) =>
        Of(seriesKey, timeMicros, MetricType.Text, XxHash64.HashToUInt64(utf8), flags);

    /// <summary>The hash of row <paramref name="row"/> of a batch.</summary>
    public static ulong OfRow(ReadingBatch batch, int row, ulong seriesKey, MetricType type)
    {
        var flags = batch.Flags[row];
        return type == MetricType.Text && (flags & ReadingFlags.Null) == 0
            ? OfText(seriesKey, batch.Times[row], flags, batch.Text(batch.Bits[row]))
            : Of(seriesKey, batch.Times[row], type, batch.Bits[row], flags);
    }
}
