using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Reads the groups of compact columns, which <see cref="CompactColumns"/> writes, directly into a batch's arrays.
/// </summary>
internal static class GroupReader
{
    /// <summary>Reads to the end of the bytes and adds exactly <paramref name="count"/> rows.</summary>
    public static void Read(ref WireReader reader, ReadingBatch into, int count, ReadOnlySpan<MetricType> types)
    {
        var scratch = ColumnScratch.OfThread;
        var origin = reader.Offset;
        var bytes = reader.Bytes(reader.Remaining);
        var bits = new BitReader(scratch.Padded(bytes), bytes.Length, origin);
        var rows = into.Extend(count);
        var forms = PlainForms.AtStart();
        var columns = new TimeColumns(rows.Times);
        int textBytes = 0, textLeft = FrameHeader.BytesMax, lastSeries = -1, groupCount = 1;
        for (var start = 0; start < count; start += groupCount)
        {
            var series = lastSeries + (long)bits.Gamma();
            if (series >= types.Length)
            {
                throw bits.Malformed($"series {series} is not in the schema");
            }

            groupCount = bits.Bit() ? groupCount : bits.Count(count - start);
            if (groupCount > count - start)
            {
                throw bits.Malformed($"a group of {groupCount} readings where {count - start} are left");
            }

            lastSeries = (int)series;
            rows.Series.Slice(start, groupCount).Fill(lastSeries);
            columns.Read(ref bits, start, groupCount);
            var flags = rows.Flags.Slice(start, groupCount);
            var values = rows.Bits.Slice(start, groupCount);
            var present = FlagColumn.Read(ref bits, flags);
            if (present > 0 && types[lastSeries] == MetricType.Text)
            {
                TextColumn.Read(ref bits, values[..present], ref textBytes, ref textLeft, scratch);
            }
            else if (present > 0)
            {
                ValueColumn.Read(ref bits, values[..present], types[lastSeries], ref forms, scratch);
            }

            Spread(values, flags, present);
        }

        var deflated = textBytes > 0 && bits.Bit();
        ReadTexts(bytes[bits.End()..], textBytes, deflated, into, rows, types, ref bits);
    }

    /// <summary>Moves the values to the readings that have one; null readings get 0.</summary>
    private static void Spread(Span<ulong> values, ReadOnlySpan<ReadingFlags> flags, int present)
    {
        for (var row = flags.Length - 1; present <= row; row--)
        {
            values[row] = (flags[row] & ReadingFlags.Null) == 0 ? values[--present] : 0;
        }
    }

    private static void ReadTexts(
        ReadOnlySpan<byte> bytes, int textBytes, bool deflated, ReadingBatch into, ReadingBatch.Rows rows,
        ReadOnlySpan<MetricType> types, ref BitReader bits)
    {
        if (!deflated && bytes.Length != textBytes)
        {
            throw bits.Malformed($"{bytes.Length} bytes of text where {textBytes} were stated");
        }

        if (textBytes == 0)
        {
            return;
        }

        var text = into.ExtendText(textBytes, out var offset);
        if (!deflated)
        {
            bytes.CopyTo(text);
        }
        else if (!TextColumn.TryInflate(bytes, text, ColumnScratch.OfThread))
        {
            throw bits.Malformed($"deflated texts that are not {textBytes} bytes");
        }

        for (var row = 0; offset > 0 && row < rows.Series.Length; row++)
        {
            if (types[rows.Series[row]] == MetricType.Text && (rows.Flags[row] & ReadingFlags.Null) == 0)
            {
                rows.Bits[row] += (ulong)offset << 32;
            }
        }
    }
}
