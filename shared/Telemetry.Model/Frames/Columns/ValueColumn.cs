using System.Numerics;
using System.Runtime.InteropServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The values of a group's readings that are not null: plain (<see cref="PlainColumn"/>), or
/// <code>
/// Dictionary
///   number  how many distinct values
///   ...     these, as a plain column with a form of its own
///   number  the first value's place among them, from 0
///   ...     the others' places, see <see cref="IntegerColumn"/>
/// Runs
///   number  how many runs
///   ...     their values, as a plain column with a form of its own
///   number  the first run's length
///   ...     the others' lengths, see <see cref="IntegerColumn"/>
/// </code>
/// The writer sorts a dictionary, so that values near each other have places near each other. The averages of a slow
/// sensor (22.6, 22.625, 22.633333…) then take a few bits, where each decimal place would cost more than three.
/// </summary>
internal static class ValueColumn
{
    /// <summary>With fewer values than these, neither runs nor a dictionary is tried.</summary>
    private const int RunsFrom = 16, DictionaryFrom = 32;

    /// <summary>
    /// Runs are written where fewer than one in so many values differ from the one before: a run costs about as much as
    /// so many residuals that are mostly 0.
    /// </summary>
    private const int ChangesOf = 8;

    /// <summary>About how many bits the two columns of a dictionary take for their first fields.</summary>
    private const int FieldBits = 24;

    /// <summary>
    /// A dictionary is tried where a plain column takes more than <see cref="PlainBitsOfFew"/> bits a value, and either
    /// more than <see cref="ChangeBitsMax"/> bits for each value that differs from the one before, or few values seem
    /// to be distinct.
    /// </summary>
    private const int ChangeBitsMax = 8, PlainBitsOfFew = 3;

    /// <summary>The most distinct values that are looked for.</summary>
    private const int EntriesMax = 2048;

    /// <summary>Instead of the number of distinct values: there are more than a dictionary may have.</summary>
    private const int TooMany = -1;

    /// <summary>Writes at least one value, in the form that is found to be smallest.</summary>
    public static void Write(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, ref PlainForms before, ColumnScratch scratch)
    {
        if (!values[1..].ContainsAnyExcept(values[0]))
        {
            PlainColumn.PlanSame(values[0], type, before[(int)type], scratch.Plain)
                .Write(writer, values, type, ref before, scratch.Plain, scratch);
            return;
        }

        var changes = values.Length >= RunsFrom ? Changes(values) : values.Length;
        if (changes < values.Length / ChangesOf)
        {
            WriteRuns(writer, values, changes + 1, type, ref before, scratch);
            return;
        }

        var plain = PlainColumn.Plan(values, type, before[(int)type], scratch.Plain);
        if (values.Length < DictionaryFrom
            || IsSmall(plain.EstimatedBits, values, changes)
            || !TryDictionary(writer, values, type, plain, ref before, scratch))
        {
            plain.Write(writer, values, type, ref before, scratch.Plain, scratch);
        }
    }

    /// <summary>Reads at least one value.</summary>
    public static void Read(
        ref BitReader reader, Span<ulong> into, MetricType type, ref PlainForms before, ColumnScratch scratch)
    {
        var form = PlainForm.Read(ref reader, ref before, type);
        if (form.Form <= ValueForm.Bits)
        {
            PlainColumn.Read(ref reader, form, into);
            return;
        }

        var entries = scratch.Entries.Of(reader.Count(into.Length));
        var inner = PlainForm.Read(ref reader, ref before, type);
        if (inner.Form > ValueForm.Bits)
        {
            throw reader.Malformed($"{inner.Form} inside {form.Form}");
        }

        PlainColumn.Read(ref reader, inner, entries);
        var numbers = scratch.Ranks.Of(form.Form == ValueForm.Runs ? entries.Length : into.Length);
        numbers[0] = (long)reader.Number(NumberContext.Count);
        IntegerColumn.Read(ref reader, numbers);
        if (form.Form == ValueForm.Runs)
        {
            ExpandRuns(ref reader, entries, numbers, into);
        }
        else
        {
            LookUp(ref reader, entries, numbers, into);
        }
    }

    private static void LookUp(
        ref BitReader reader, ReadOnlySpan<ulong> entries, ReadOnlySpan<long> places, Span<ulong> into)
    {
        for (var i = 0; i < into.Length; i++)
        {
            if ((ulong)places[i] >= (ulong)entries.Length)
            {
                throw reader.Malformed($"place {places[i]} of {entries.Length}");
            }

            into[i] = entries[(int)places[i]];
        }
    }

    private static void ExpandRuns(
        ref BitReader reader, ReadOnlySpan<ulong> values, ReadOnlySpan<long> lengths, Span<ulong> into)
    {
        for (var run = 0; run < values.Length; run++)
        {
            if (lengths[run] < 1 || lengths[run] > into.Length)
            {
                throw reader.Malformed($"a run of {lengths[run]} where {into.Length} values are left");
            }

            into[..(int)lengths[run]].Fill(values[run]);
            into = into[(int)lengths[run]..];
        }

        if (into.Length > 0)
        {
            throw reader.Malformed($"{into.Length} values behind the last run");
        }
    }

    private static bool IsSmall(long plainBits, ReadOnlySpan<ulong> values, int changes) =>
        plainBits <= (long)PlainBitsOfFew * values.Length
        || (plainBits <= (long)ChangeBitsMax * changes && !DistinctValues.AreFew(values));

    private static void WriteRuns(
        BitWriter writer, ReadOnlySpan<ulong> values, int runs, MetricType type, ref PlainForms before,
        ColumnScratch scratch)
    {
        var entries = scratch.Entries.Of(runs);
        var lengths = scratch.Ranks.Of(runs);
        for (var run = 0; run < runs; run++)
        {
            var end = values.IndexOfAnyExcept(values[0]);
            entries[run] = values[0];
            lengths[run] = end < 0 ? values.Length : end;
            values = values[(int)lengths[run]..];
        }

        var inner = PlainColumn.Plan(entries, type, before[(int)type], scratch.InnerPlain);
        var prediction = IntegerColumn.Plan(lengths, IntegerMeaning.Values, out _);
        WriteParts(writer, ValueForm.Runs, entries, inner, lengths, prediction, type, ref before, scratch);
    }

    /// <summary>How many values differ from the one before.</summary>
    private static int Changes(ReadOnlySpan<ulong> values)
    {
        var count = values.Length - 1;
        ref var from = ref MemoryMarshal.GetReference(values);
        var same = Vector<ulong>.Zero;
        var at = 0;
        for (; at <= count - Vector<ulong>.Count; at += Vector<ulong>.Count)
        {
            same -= Vector.Equals(Vector.LoadUnsafe(ref from, (nuint)at), Vector.LoadUnsafe(ref from, (nuint)at + 1));
        }

        var changes = at - (int)Vector.Sum(same);
        for (; at < count; at++)
        {
            changes += values[at] == values[at + 1] ? 0 : 1;
        }

        return changes;
    }

    /// <summary>
    /// Finds the distinct values, sorted, and the place of each value among them; leaves both in the scratch. Returns
    /// how many are distinct.
    /// </summary>
    private static int FindDistinct(ReadOnlySpan<ulong> values, MetricType type, ColumnScratch scratch)
    {
        var most = Math.Min(values.Length / 2, EntriesMax);
        var entries = scratch.Entries.Of(most);
        var places = scratch.Ranks.Of(values.Length);
        var count = DistinctValues.Find(values, entries, places, scratch.Slots(most * 4));
        if (count < 0)
        {
            return TooMany;
        }

        DistinctValues.Sort(entries[..count], places, type, scratch);
        return count;
    }

    private static bool TryDictionary(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, PlainColumn plain, ref PlainForms before,
        ColumnScratch scratch)
    {
        var distinct = FindDistinct(values, type, scratch);
        if (distinct == TooMany)
        {
            return false;
        }

        var entries = scratch.Entries.Of(distinct);
        var places = scratch.Ranks.Of(values.Length);
        var inner = PlainColumn.Plan(entries, type, before[(int)type], scratch.InnerPlain);
        var prediction = IntegerColumn.Plan(places, IntegerMeaning.Values, out var placeBits);
        var estimated = inner.EstimatedBits + placeBits;
        var isLess = PlainColumn.AreFarApart(estimated, plain.EstimatedBits)
            ? estimated < plain.EstimatedBits
            : FieldBits + inner.Bits(scratch.InnerPlain.Integers.Of(distinct))
                + IntegerColumn.Bits(prediction, places)
                < plain.Bits(scratch.Plain.Integers.Of(values.Length));
        if (!isLess)
        {
            return false;
        }

        WriteParts(writer, ValueForm.Dictionary, entries, inner, places, prediction, type, ref before, scratch);
        return true;
    }

    private static void WriteParts(
        BitWriter writer, ValueForm form, ReadOnlySpan<ulong> entries, PlainColumn inner, ReadOnlySpan<long> numbers,
        Prediction prediction, MetricType type, ref PlainForms before, ColumnScratch scratch)
    {
        PlainForm.WriteComposite(writer, form);
        writer.Number((ulong)entries.Length, NumberContext.Count);
        inner.Write(writer, entries, type, ref before, scratch.InnerPlain, scratch);
        writer.Number((ulong)numbers[0], NumberContext.Count);
        IntegerColumn.Write(writer, numbers, prediction, scratch.Residuals.Of(numbers.Length));
    }
}
