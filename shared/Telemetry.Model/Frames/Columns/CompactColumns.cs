using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The columns of version 1: readings sorted by (series, time), one group a series. A stream of bits, then the bytes of
/// texts; docs/reference/frame-format.md has all details. Frames and the outbox's segments hold the same.
/// <code>
/// byte    layout: 0: plain columns (<see cref="ReadingColumns"/>) follow, where they are not larger; 1: compact ones
/// each group, in bits, until all readings are there:
/// gamma   series index minus that of the group before (for the first group: minus -1)
/// 1       1: as many readings as the group before (for the first group: one); 0: a number follows, how many
/// ...     times, see <see cref="TimeColumns"/>
/// ...     flags, see <see cref="FlagColumn"/>
/// ...     values of the readings that are not null, see <see cref="ValueColumn"/> and <see cref="TextColumn"/>
/// behind the last group:
/// 1       1: the texts are deflated                             (only where there are bytes of text)
/// ...     zeros to the end of the byte, then the texts' bytes to the end of the columns
/// </code>
/// After a warm-up nothing is allocated, except 200 to 250 bytes where the framework deflates or inflates texts.
/// </summary>
public static class CompactColumns
{
    private const byte PlainLayout = 0, CompactLayout = 1;

    /// <summary>The least bytes of a plain reading: 8 for its time, and 1 for the length of an empty text.</summary>
    private const int PlainReadingBytesMin = 9;

    /// <summary>
    /// Writes rows <paramref name="order"/> of a batch, which must be in the order (series, time). Takes at most one
    /// byte more than plain columns. <paramref name="types"/> is the type of each series by index.
    /// </summary>
    public static void Write(
        WireWriter writer, ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types)
    {
        var scratch = ColumnScratch.OfThread;
        var bits = scratch.Writer;
        var textBytes = WriteGroups(bits, batch, order, types, scratch);
        var texts = (ReadOnlySpan<byte>)scratch.Text.Of(textBytes);
        if (textBytes > 0 && TextColumn.TryDeflate(texts, scratch, out var deflated))
        {
            bits.Bit(true);
            texts = deflated;
        }
        else if (textBytes > 0)
        {
            bits.Bit(false);
        }

        var columns = bits.Finish();
        var length = columns.Length + texts.Length;
        if (length >= order.Length * PlainReadingBytesMin && length >= ReadingColumns.Bytes(batch, order, types))
        {
            writer.Byte(PlainLayout);
            ReadingColumns.Write(writer, batch, order, types);
            return;
        }

        writer.Byte(CompactLayout);
        writer.Bytes(columns);
        writer.Bytes(texts);
    }

    /// <summary>
    /// Reads to the end and adds exactly <paramref name="count"/> rows to <paramref name="into"/>. An unknown series,
    /// or anything else that no writer produces, throws <see cref="WireFormatException"/>; the caller must then discard
    /// what was added.
    /// </summary>
    public static void Read(ref WireReader reader, ReadingBatch into, int count, ReadOnlySpan<MetricType> types)
    {
        var at = reader.Offset;
        switch (reader.Byte())
        {
            case PlainLayout:
                var before = into.Count;
                ReadingColumns.Read(ref reader, into, count, types);
                if (into.Count - before != count)
                {
                    throw new WireFormatException($"{into.Count - before} readings where {count} were stated", at);
                }

                break;
            case CompactLayout:
                GroupReader.Read(ref reader, into, count, types);
                break;
            case var layout:
                throw new WireFormatException($"unknown column layout {layout}", at);
        }
    }

    /// <summary>Writes all groups into the writer, which is cleared first; returns the bytes of text.</summary>
    private static int WriteGroups(
        BitWriter bits, ReadingBatch batch, ReadOnlySpan<int> order, ReadOnlySpan<MetricType> types,
        ColumnScratch scratch)
    {
        bits.Clear();
        var textBytes = 0;
        // Read once, because a batch creates its spans at each call.
        var allSeries = batch.Series;
        var allTimes = batch.Times;
        var allBits = batch.Bits;
        var allFlags = batch.Flags;
        var areFlagged = allFlags.ContainsAnyExcept(ReadingFlags.None);
        var times = scratch.Times.Of(order.Length);
        var forms = PlainForms.AtStart();
        var columns = new TimeColumns(times);
        var flags = scratch.Flags.Of(order.Length);
        var values = scratch.Bits.Of(order.Length);
        int lastSeries = -1, lastCount = 1;
        for (var start = 0; start < order.Length;)
        {
            var series = allSeries[order[start]];
            var count = Take(order[start..], allSeries, allTimes, allBits, times[start..], values);
            var end = start + count;
            var present = areFlagged ? TakeFlags(allFlags, order[start..end], flags, values) : count;
            bits.Gamma(series > lastSeries
                ? (ulong)(series - lastSeries) : throw new ArgumentException($"series {series} behind {lastSeries}"));
            bits.Bit(count == lastCount);
            if (count != lastCount)
            {
                bits.Number((ulong)count, NumberContext.Count);
            }

            columns.Write(bits, start, count, scratch);
            FlagColumn.Write(bits, areFlagged ? flags[..count] : []);
            if (present > 0 && types[series] == MetricType.Text)
            {
                TextColumn.Write(bits, batch, values[..present], ref textBytes, scratch);
            }
            else if (present > 0)
            {
                ValueColumn.Write(bits, values[..present], types[series], ref forms, scratch);
            }

            (start, lastSeries, lastCount) = (end, series, count);
        }

        return textBytes;
    }

    /// <summary>
    /// Copies the times and values of the first rows, those of one series; returns how many they are. A method of its
    /// own, so that the spans stay in registers.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Take(
        ReadOnlySpan<int> rows, ReadOnlySpan<int> allSeries, ReadOnlySpan<long> allTimes, ReadOnlySpan<ulong> allBits,
        Span<long> times, Span<ulong> values)
    {
        // The slices check once that there are as many times and values as series, and room for all rows. A row that
        // the batch does not have throws where its series is read.
        ref var fromTimes = ref MemoryMarshal.GetReference(allTimes[..allSeries.Length]);
        ref var fromBits = ref MemoryMarshal.GetReference(allBits[..allSeries.Length]);
        ref var toTimes = ref MemoryMarshal.GetReference(times[..rows.Length]);
        ref var toBits = ref MemoryMarshal.GetReference(values[..rows.Length]);
        var series = allSeries[rows[0]];
        var count = 0;
        for (; count < rows.Length; count++)
        {
            var row = rows[count];
            if (allSeries[row] != series)
            {
                break;
            }

            Unsafe.Add(ref toTimes, count) = Unsafe.Add(ref fromTimes, row);
            Unsafe.Add(ref toBits, count) = Unsafe.Add(ref fromBits, row);
        }

        return count;
    }

    /// <summary>
    /// Copies the rows' flags, and moves the values of the rows that are not null to the front; returns how many these
    /// are.
    /// </summary>
    private static int TakeFlags(
        ReadOnlySpan<ReadingFlags> all, ReadOnlySpan<int> rows, Span<ReadingFlags> flags, Span<ulong> values)
    {
        var present = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            flags[i] = all[rows[i]];
            values[present] = values[i];
            present += (flags[i] & ReadingFlags.Null) == 0 ? 1 : 0;
        }

        return present;
    }
}
