using System.Buffers.Binary;
using System.IO.Hashing;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Readings;

/// <summary>
/// The hash of one reading, and its sum modulo 2^64 over many: XxHash64 over (series identity, time, type, value bits,
/// flags), for text over (series identity, time, type, flags, bytes). Agent, processor, reconciler and journals use
/// this code; the sum does not depend on the order. It is used as evidence only: no hash decides where a reading is
/// stored.
/// </summary>
public static class ReadingHash
{
    /// <summary>The hash of a reading of a number or a bool, or of a null one (bits 0).</summary>
    public static ulong Of(SeriesIdentity series, long timeMicros, MetricType type, ulong bits, ReadingFlags flags)
    {
        Span<byte> bytes = stackalloc byte[34];
        series.Write(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], timeMicros);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], bits);
        bytes[32] = (byte)type;
        bytes[33] = (byte)flags;
        return XxHash64.HashToUInt64(bytes);
    }

    /// <summary>The hash of a reading of text.</summary>
    public static ulong OfText(SeriesIdentity series, long timeMicros, ReadingFlags flags, ReadOnlySpan<byte> utf8) =>
        Of(series, timeMicros, MetricType.Text, XxHash64.HashToUInt64(utf8), flags);

    /// <summary>
    /// The hashes of rows of one series in a batch, from row <paramref name="from"/> on; returns their sum.
    /// </summary>
    public static ulong OfRows(
        ReadingBatch batch, int from, Span<ulong> hashes, SeriesIdentity series, MetricType type)
    {
        var times = batch.Times.Slice(from, hashes.Length);
        var bits = batch.Bits.Slice(from, hashes.Length);
        var flags = batch.Flags.Slice(from, hashes.Length);
        var of = new SeriesHash(series, type);
        var sum = 0UL;
        for (var i = 0; i < hashes.Length; i++)
        {
            sum += hashes[i] = type == MetricType.Text
                ? OfRow(batch, from + i, series, type)
                : of.Of(times[i], bits[i], flags[i]);
        }

        return sum;
    }

    /// <summary>The hash of row <paramref name="row"/> of a batch.</summary>
    public static ulong OfRow(ReadingBatch batch, int row, SeriesIdentity series, MetricType type)
    {
        var flags = batch.Flags[row];
        return type == MetricType.Text && (flags & ReadingFlags.Null) == 0
            ? OfText(series, batch.Times[row], flags, batch.Text(batch.Bits[row]))
            : Of(series, batch.Times[row], type, batch.Bits[row], flags);
    }
}
