using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>
/// The plain columns of version 0: readings sorted by (series, time), one group a series, to the end of the bytes.
/// Frames and the outbox's segments hold the same.
/// <code>
/// each group:
/// varint  series index
/// varint  count, at least 1
/// byte    bits 0-2 type, bit 3 flags present
/// i64     time, count times
/// byte    flags, count times                                    (bit 3)
/// u64     value bits, count times; for text: varint length, count times, then the bytes
/// </code>
/// </summary>
public static class ReadingColumns
{
    private const byte TypeMask = 7, FlagsBit = 8;

    /// <summary>
    /// Writes rows <paramref name="order"/> of a batch, which must be in the order (series, time).
    /// <paramref name="types"/> is the type of each series by index.
    /// </summary>
    public static void Write(
        WireWriter writer, ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types)
    {
        for (var start = 0; start < order.Length;)
        {
            var series = batch.Series[order[start]];
            var end = start;
            var flags = ReadingFlags.None;
            while (end < order.Length && batch.Series[order[end]] == series)
            {
                flags |= batch.Flags[order[end++]];
            }

            WriteGroup(writer, batch, order[start..end], series, types[series], flags != ReadingFlags.None);
            start = end;
        }
    }

    /// <summary>
    /// Reads groups until the end and adds their rows to <paramref name="into"/>: at most <paramref name="countMax"/>.
    /// If <paramref name="types"/> is given, an unknown series or another type throws <see
    /// cref="WireFormatException"/>.
    /// </summary>
    public static void Read(ref WireReader reader, ReadingBatch into, int countMax, ReadOnlySpan<MetricType> types)
    {
        while (reader.Remaining > 0)
        {
            var at = reader.Offset;
            var series = (int)reader.Varint((long)int.MaxValue);
            var count = reader.Count(countMax, 9);
            var kind = reader.Byte();
            var type = (MetricType)(kind & TypeMask);
            if (count == 0 || kind > (TypeMask | FlagsBit) || type > MetricType.Text)
            {
                throw new WireFormatException($"a group of {count} readings of kind {kind}", at);
            }

            if (series >= types.Length || types[series] != type)
            {
                throw new WireFormatException($"series {series} of type {type} is not in the schema", at);
            }

            countMax -= count;
            ReadGroup(ref reader, into, series, count, type, (kind & FlagsBit) != 0);
        }
    }

    /// <summary>How many bytes <see cref="Write"/> produces for these rows.</summary>
    public static int Bytes(ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types)
    {
        var bytes = 0;
        for (var start = 0; start < order.Length;)
        {
            var series = batch.Series[order[start]];
            var end = start;
            var flags = ReadingFlags.None;
            for (; end < order.Length && order[end] is var row && batch.Series[row] == series; end++)
            {
                flags |= batch.Flags[row];
                bytes += types[series] == MetricType.Text
                    ? TextBytes(batch.Text(batch.Bits[row]).Length) : sizeof(ulong);
            }

            var count = end - start;
            bytes += WireWriter.VarintBytes((ulong)series) + WireWriter.VarintBytes((ulong)count) + 1
                + (count * (sizeof(long) + (flags == ReadingFlags.None ? 0 : 1)));
            start = end;
        }

        return bytes;

        static int TextBytes(int length) => length + WireWriter.VarintBytes((ulong)length);
    }

    private static void WriteGroup(
        WireWriter writer, ReadingBatch batch, ReadOnlySpan<int> rows, int series, MetricType type, bool withFlags)
    {
        writer.Varint((ulong)series);
        writer.Varint((ulong)rows.Length);
        writer.Byte((byte)((byte)type | (withFlags ? FlagsBit : 0)));
        var times = writer.Reserve(rows.Length * 8);
        for (var i = 0; i < rows.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(times[(i * 8)..], batch.Times[rows[i]]);
        }

        if (withFlags)
        {
            var flags = writer.Reserve(rows.Length);
            for (var i = 0; i < rows.Length; i++)
            {
                flags[i] = (byte)batch.Flags[rows[i]];
            }
        }

        if (type != MetricType.Text)
        {
            var bits = writer.Reserve(rows.Length * 8);
            for (var i = 0; i < rows.Length; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bits[(i * 8)..], batch.Bits[rows[i]]);
            }

            return;
        }

        foreach (var row in rows)
        {
            writer.Varint((ulong)batch.Text(batch.Bits[row]).Length);
        }

        foreach (var row in rows)
        {
            writer.Bytes(batch.Text(batch.Bits[row]));
        }
    }

    private static void ReadGroup(
        ref WireReader reader, ReadingBatch into, int series, int count, MetricType type, bool withFlags)
    {
        var times = reader.Bytes(count * 8);
        var flagBytes = withFlags ? reader.Bytes(count) : default;
        var flags = MemoryMarshal.Cast<byte, ReadingFlags>(flagBytes);
        if (flagBytes.IndexOfAnyExceptInRange((byte)0, (byte)ReadingFlags.All) is >= 0 and var bad)
        {
            throw new WireFormatException($"unknown flags 0x{flagBytes[bad]:x2}", reader.Offset - count + bad);
        }

        if (type == MetricType.Text)
        {
            ReadText(ref reader, into, series, times, flags);
            return;
        }

        var bits = reader.Bytes(count * 8);
        for (var i = 0; i < count; i++)
        {
            into.Add(
                series,
                BinaryPrimitives.ReadInt64LittleEndian(times[(i * 8)..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bits[(i * 8)..]),
                withFlags ? flags[i] : ReadingFlags.None);
        }
    }

    private static void ReadText(
        ref WireReader reader, ReadingBatch into, int series, ReadOnlySpan<byte> times,
        ReadOnlySpan<ReadingFlags> flags)
    {
        var count = times.Length / 8;
        var lengths = reader;
        for (var i = 0; i < count; i++)
        {
            reader.Varint((long)ReadingBatch.TextBytesMax);
        }

        for (var i = 0; i < count; i++)
        {
            var text = reader.Bytes((int)lengths.Varint((long)ReadingBatch.TextBytesMax));
            var time = BinaryPrimitives.ReadInt64LittleEndian(times[(i * 8)..]);
            var flag = flags.IsEmpty ? ReadingFlags.None : flags[i];
            if ((flag & ReadingFlags.Null) == 0)
            {
                into.AddText(series, time, text, flag);
            }
            else
            {
                into.Add(series, time, 0, flag);
            }
        }
    }
}
