using System.Runtime.CompilerServices;
using Telemetry.Model.Readings;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The short way for runs of groups of one reading each, as live frames of slow series have them: where such a reading
/// has no flags and its type's last form, its group is a handful of fields in one word, which are written and read as
/// one. Whatever else a group may be is left to the general way (<see cref="CompactColumns"/>,
/// <see cref="GroupReader"/>), which makes, takes and refuses the same bits.
/// </summary>
internal static class SingleReadings
{
    /// <summary>
    /// What stands before the value of most such groups: the next series (1), as many readings (1), shared times (1),
    /// those of the last column (1), no flags (0), the last form (1).
    /// </summary>
    private const ulong Usual = 0b10_1111;

    private const int UsualBits = 6;

    /// <summary>
    /// Writes groups from place <paramref name="at"/> of <paramref name="order"/> on, behind a group of one reading.
    /// Returns the place where the general way goes on.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Write(
        BitWriter writer, ReadingBatch batch, ReadOnlySpan<int> order, int at, ref int lastSeries,
        ref TimeColumns columns, ref PlainForms forms, ReadOnlySpan<MetricType> types)
    {
        var allSeries = batch.Series;
        var allTimes = batch.Times;
        var allBits = batch.Bits;
        var allFlags = batch.Flags;
        for (; at < order.Length; at++)
        {
            var row = order[at];
            var series = allSeries[row];
            if ((at + 1 < order.Length && allSeries[order[at + 1]] == series) || series <= lastSeries
                || allFlags[row] != ReadingFlags.None || types[series] is var type && type == MetricType.Text)
            {
                break;
            }

            columns.Set(at, allTimes[row]);
            var before = forms[(int)type];
            var form = PlainColumn.PlanOne(allBits[row], type, before, out var first);
            var code = default(BitCode);
            var timeLength = -1;
            if (series == lastSeries + 1 && form == before && columns.IsLastOf(at))
            {
                code.Put(Usual, UsualBits);
            }
            else
            {
                timeLength = writer.Last(NumberContext.Time);
                code = WriteUnusual(series - lastSeries, ref columns, at, ref timeLength, form, before);
            }

            ref var length = ref writer.Last(form.First);
            var firstLength = length;
            code.Number(first, ref firstLength);
            code.Put(0, form.Form == ValueForm.Decimals ? 1 : 0);
            if (!writer.TryWrite(code))
            {
                break;
            }

            length = firstLength;
            lastSeries = series;
            forms[(int)type] = form;
            if (timeLength >= 0)
            {
                writer.Last(NumberContext.Time) = timeLength;
                columns.Remember(at, 1);
            }
        }

        return at;
    }

    /// <summary>
    /// What stands before a value where that is not the usual. <paramref name="timeLength"/> is the last length of a
    /// time, then that of this group's time; -1 where it is shared.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static BitCode WriteUnusual(
        int step, ref readonly TimeColumns columns, int at, ref int timeLength, PlainForm form, PlainForm before)
    {
        var code = default(BitCode);
        code.Gamma((ulong)step);
        code.Bit(true);
        columns.PutOne(ref code, at, ref timeLength);
        code.Bit(false);
        form.Put(ref code, before);
        return code;
    }

    /// <summary>
    /// Reads groups into <paramref name="rows"/> from <paramref name="row"/> on, behind a group of one reading. Returns
    /// the row where the general way goes on: it finds what is wrong with malformed bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Read(
        ref BitReader reader, in ReadingBatch.Rows rows, int row, ref int lastSeries, ref TimeColumns columns,
        ref PlainForms forms, ReadOnlySpan<MetricType> types)
    {
        var bit = reader.Position;
        for (; row < rows.Series.Length; row++)
        {
            var ahead = reader.At(bit);
            if (!columns.TryLastOne(out var time) || !ahead.TryPass(Usual, UsualBits))
            {
                bit = ReadUnusual(ref reader, bit, in rows, row, ref lastSeries, ref columns, ref forms, types);
                if (bit < 0)
                {
                    return row;
                }

                continue;
            }

            var series = lastSeries + 1;
            if (series >= types.Length || types[series] is var type && type == MetricType.Text
                || !TryValue(ref reader, bit, ref ahead, forms[(int)type], out var value))
            {
                break;
            }

            bit += ahead.Used;
            lastSeries = series;
            rows.Series[row] = series;
            rows.Times[row] = time;
            rows.Flags[row] = ReadingFlags.None;
            rows.Bits[row] = value;
        }

        reader.MoveTo(bit);
        return row;
    }

    /// <summary>
    /// Reads a group of which not all before the value is usual, and returns the position behind it; -1, with the
    /// reader moved to where it begins, where it is for the general way.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReadUnusual(
        ref BitReader reader, int bit, in ReadingBatch.Rows rows, int row, ref int lastSeries, ref TimeColumns columns,
        ref PlainForms forms, ReadOnlySpan<MetricType> types)
    {
        var ahead = reader.At(bit);
        var series = lastSeries + (long)ahead.Gamma();
        var isOne = ahead.Bit();
        var timeLength = reader.Last(NumberContext.Time);
        if (!isOne || (ulong)series >= (ulong)types.Length || types[(int)series] is var type && type == MetricType.Text
            || !columns.TryReadOne(ref ahead, out var time, ref timeLength) || ahead.Bit()
            || !PlainForm.TryRead(ref ahead, forms[(int)type], type, out var form)
            || !TryValue(ref reader, bit, ref ahead, form, out var value))
        {
            reader.MoveTo(bit);
            return -1;
        }

        lastSeries = (int)series;
        forms[(int)type] = form;
        rows.Series[row] = lastSeries;
        rows.Times[row] = time;
        rows.Flags[row] = ReadingFlags.None;
        rows.Bits[row] = value;
        if (timeLength >= 0)
        {
            reader.Last(NumberContext.Time) = timeLength;
            columns.Remember(row, 1);
        }

        return bit + ahead.Used;
    }

    /// <summary>
    /// Reads the value, the last part of a group; false where it has an exception, or is not all in the word.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryValue(ref BitReader reader, int bit, ref BitWindow ahead, PlainForm form, out ulong value)
    {
        ref var last = ref reader.Last(form.First);
        var length = last;
        var first = ahead.Number(ref length);
        if (!PlainColumn.TryReadOne(ref ahead, form, first, out value) || !reader.Holds(bit, ahead))
        {
            return false;
        }

        last = length;
        return true;
    }
}
