using System.Numerics;
using System.Runtime.InteropServices;
using Telemetry.Model.Readings;

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
/// A dictionary is sorted by its writer, so that values near each other have places near each other: it takes the
/// averages of a slow sensor (22.6, 22.625, 22.633333…) to a few bits, where every decimal place would cost three.
/// </summary>
internal static class ValueColumn
{
    /// <summary>Fewer values are put plain.</summary>
    private const int RunsFrom = 16, DictionaryFrom = 32;

    /// <summary>
    /// A dictionary is tried where plain values take more bits than this each; or than these, where few seem to differ.
    /// </summary>
    private const int PlainBitsMax = 8, PlainBitsOfFew = 3;

    /// <summary>The most distinct values that are looked for.</summary>
    private const int EntriesMax = 2048;

    /// <summary>Writes at least one value.</summary>
    public static void Write(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, ref PlainForms before, ColumnScratch scratch)
    {
        if (values.Length >= RunsFrom && TryRuns(writer, values, type, ref before, scratch))
        {
            return;
        }

        var plain = PlainColumn.Plan(values, type, before[(int)type], scratch.Plain);
        if (values.Length < DictionaryFrom
            || plain.EstimatedBits <= (long)PlainBitsOfFew * values.Length
            || (plain.EstimatedBits <= (long)PlainBitsMax * values.Length && !DistinctValues.AreFew(values))
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

    private static bool TryRuns(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, ref PlainForms before, ColumnScratch scratch)
    {
        // A run costs about as much as eight residuals that are mostly 0.
        var most = values.Length / 8;
        if (Changes(values) >= most)
        {
            return false;
        }

        var entries = scratch.Entries.Of(most);
        var lengths = scratch.Ranks.Of(most);
        var runs = 0;
        for (var rest = values; rest.Length > 0; runs++)
        {
            var end = rest.IndexOfAnyExcept(rest[0]);
            entries[runs] = rest[0];
            lengths[runs] = end < 0 ? rest.Length : end;
            rest = rest[(int)lengths[runs]..];
        }

        if (runs == 1)
        {
            return false;
        }

        entries = entries[..runs];
        lengths = lengths[..runs];
        var inner = PlainColumn.Plan(entries, type, before[(int)type], scratch.InnerPlain);
        var prediction = IntegerColumn.Plan(lengths, IntegerMeaning.Values, out _);
        WriteParts(writer, ValueForm.Runs, entries, inner, lengths, prediction, type, ref before, scratch);
        return true;
    }

    /// <summary>How many of the values differ from the one before, of at least a vector of them.</summary>
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

    private static bool TryDictionary(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, PlainColumn plain, ref PlainForms before,
        ColumnScratch scratch)
    {
        var most = Math.Min(values.Length / 2, EntriesMax);
        var entries = scratch.Entries.Of(most);
        var places = scratch.Ranks.Of(values.Length);
        var count = DistinctValues.Find(values, entries, places, scratch.Slots(most * 4));
        if (count < 0)
        {
            return false;
        }

        entries = entries[..count];
        DistinctValues.Sort(entries, places, type, scratch);
        var inner = PlainColumn.Plan(entries, type, before[(int)type], scratch.InnerPlain);
        var prediction = IntegerColumn.Plan(places, IntegerMeaning.Values, out _);
        if (inner.Bits(scratch.InnerPlain.Integers.Of(count)) + IntegerColumn.Bits(prediction, places)
            >= plain.Bits(scratch.Plain.Integers.Of(values.Length)))
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
