using System.Numerics;
using System.Runtime.InteropServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// A column of values as integers:
/// <code>
/// ...     form, see <see cref="PlainForm"/>
/// number  the first integer, in zigzag unless the form is Bits
/// ...     the others, see <see cref="IntegerColumn"/>
/// 1       of Decimals: 1 if some values are not on the scale
///   number  how many
///   each    number: its place minus that of the one before (for the first: minus -1); 64: the bits of its value
/// </code>
/// </summary>
internal readonly record struct PlainColumn(PlainForm Form, Prediction Prediction, int Exceptions, long EstimatedBits)
{
    /// <summary>With more than this many bits for each decimal, encoding the doubles' bits is tried too.</summary>
    private const int DecimalBitsMax = 24;

    /// <summary>With more exceptions than one in this many values, another exponent is tried.</summary>
    private const int ExceptionOf = 16;

    /// <summary>From this many values on, a sample first shows whether an exponent is suitable.</summary>
    private const int SampleFrom = 32;

    /// <summary>
    /// Chooses the encoding of the values. The result is in <paramref name="parts"/> until the next plan.
    /// </summary>
    public static PlainColumn Plan(
        ReadOnlySpan<ulong> values, MetricType type, PlainForm before, ColumnScratch.PlainParts parts)
    {
        var integers = parts.Integers.Of(values.Length);
        if (type != MetricType.Float)
        {
            return PlanBits(values, new PlainForm(ValueForm.Integers, 0), integers);
        }

        var last = before.Form == ValueForm.Decimals ? before.Parameter : -1;
        if (last >= 0 && TryKeep(values, last, integers, parts, out var kept))
        {
            return kept;
        }

        var exponent = DecimalExponent.Find(values, last);
        var decimals = exponent < 0 ? default : PlanDecimals(values, exponent, integers, parts);
        if (exponent >= 0 && decimals.EstimatedBits <= (long)DecimalBitsMax * values.Length)
        {
            return decimals;
        }

        var others = parts.OtherIntegers.Of(values.Length);
        var bits = PlanBits(values, new PlainForm(ValueForm.Bits, SharedZeros(values)), others);
        if (exponent >= 0 && IsLess(decimals, integers, bits, others))
        {
            return decimals;
        }

        parts.TakeOthers();
        return bits;
    }

    /// <summary>
    /// The form for a column of one value, and the number that is written for it. It never makes an exception, which
    /// costs more bits than the value itself.
    /// </summary>
    public static PlainForm PlanOne(ulong value, MetricType type, PlainForm before, out ulong first)
    {
        if (type != MetricType.Float)
        {
            first = ZigZag.Of((long)value);
            return before;
        }

        if (value == 0 && before.Form == ValueForm.Decimals)
        {
            // Zero is on every scale. Another form would cost bits here, and again in the next column to change back.
            first = 0;
            return before;
        }

        var last = before.Form == ValueForm.Decimals ? before.Parameter : -1;
        var exponent = DecimalExponent.FindOne(value, last, out var integer);
        first = ZigZag.Of(integer);
        if (exponent >= 0 && IntegerColumn.KindBits + FirstBits(integer) <= DecimalBitsMax)
        {
            return new PlainForm(ValueForm.Decimals, exponent);
        }

        var zeros = value == 0 ? 0 : BitOperations.TrailingZeroCount(value);
        if (exponent >= 0 && FirstBits(integer) < FirstBits((long)(value >> zeros)))
        {
            return new PlainForm(ValueForm.Decimals, exponent);
        }

        first = value >> zeros;
        return new PlainForm(ValueForm.Bits, zeros);
    }

    /// <summary>Plans a column in which one value is repeated.</summary>
    public static PlainColumn PlanSame(
        ulong value, MetricType type, PlainForm before, ColumnScratch.PlainParts parts)
    {
        var form = PlanOne(value, type, before, out var first);
        parts.Integers.Of(1)[0] = form.Form == ValueForm.Bits ? (long)first : ZigZag.Back(first);
        return new PlainColumn(form, default, 0, 0);
    }

    /// <summary>True when two estimates differ so much that they decide; otherwise the bits must be counted.</summary>
    public static bool AreFarApart(long one, long other) => Math.Abs(one - other) > other / 2;

    /// <summary>About how many bits the column takes with these integers, without its form.</summary>
    public long Bits(ReadOnlySpan<long> integers) =>
        IntegerColumn.Bits(Prediction, integers) + FirstBits(integers[0])
        + ((long)Exceptions * DecimalScale.ExceptionBits);

    /// <summary>Writes what was planned.</summary>
    public void Write(
        BitWriter writer, ReadOnlySpan<ulong> values, MetricType type, ref PlainForms before,
        ColumnScratch.PlainParts parts, ColumnScratch scratch)
    {
        var integers = parts.Integers.Of(values.Length);
        Form.Write(writer, ref before, type);
        writer.Number(Form.Form == ValueForm.Bits ? (ulong)integers[0] : ZigZag.Of(integers[0]), Form.First);
        IntegerColumn.Write(writer, integers, Prediction, scratch.Residuals.Of(values.Length));
        if (Form.Form != ValueForm.Decimals)
        {
            return;
        }

        writer.Bit(Exceptions > 0);
        if (Exceptions > 0)
        {
            writer.Number((ulong)Exceptions, NumberContext.Count);
            var last = -1;
            foreach (var place in parts.Exceptions.Of(Exceptions))
            {
                writer.Number((ulong)(place - last), NumberContext.Count);
                writer.Write(values[place], 64);
                last = place;
            }
        }
    }

    /// <summary>Reads the values after their form.</summary>
    public static void Read(ref BitReader reader, PlainForm form, Span<ulong> into)
    {
        var integers = MemoryMarshal.Cast<ulong, long>(into);
        var first = reader.Number(form.First);
        integers[0] = form.Form == ValueForm.Bits ? (long)first : ZigZag.Back(first);
        IntegerColumn.Read(ref reader, integers);
        if (form.Form == ValueForm.Bits)
        {
            for (var i = 0; form.Parameter > 0 && i < into.Length; i++)
            {
                into[i] <<= form.Parameter;
            }
        }
        else if (form.Form == ValueForm.Decimals)
        {
            if (!DecimalScale.TryRestore(integers, form.Parameter))
            {
                throw reader.Malformed("a decimal of more than 51 bits");
            }

            ReadExceptions(ref reader, into);
        }
    }

    private static void ReadExceptions(ref BitReader reader, Span<ulong> into)
    {
        if (!reader.Bit())
        {
            return;
        }

        var place = -1;
        for (var left = reader.Count(into.Length); left > 0; left--)
        {
            place += reader.Count(into.Length - 1 - place);
            into[place] = reader.Read(64);
        }
    }

    private static PlainColumn PlanBits(ReadOnlySpan<ulong> values, PlainForm form, Span<long> integers)
    {
        Shift(values, form.Parameter, integers);
        var prediction = IntegerColumn.Plan(
            integers, form.Form == ValueForm.Bits ? IntegerMeaning.Doubles : IntegerMeaning.Values, out var bits);
        return new PlainColumn(form, prediction, 0, bits + FirstBits(integers[0]));
    }

    /// <summary>Plans decimals with the exponent of the previous column, if it is suitable for these values.</summary>
    private static bool TryKeep(
        ReadOnlySpan<ulong> values, int exponent, Span<long> integers, ColumnScratch.PlainParts parts,
        out PlainColumn kept)
    {
        kept = default;
        if (values.Length < SampleFrom
            ? !DecimalScale.TryConvert(BitConverter.UInt64BitsToDouble(values[0]), exponent, out _)
            : !DecimalExponent.Suits(values, exponent))
        {
            return false;
        }

        var exceptions = DecimalScale.Convert(values, exponent, integers, parts.Exceptions.Of(values.Length));
        if (exceptions * ExceptionOf > values.Length
            || (values.Length < SampleFrom && !DecimalExponent.IsLeast(integers, exponent)))
        {
            return false;
        }

        kept = PlanDecimals(exponent, exceptions, integers);
        return kept.EstimatedBits <= (long)DecimalBitsMax * values.Length;
    }

    private static PlainColumn PlanDecimals(
        ReadOnlySpan<ulong> values, int exponent, Span<long> integers, ColumnScratch.PlainParts parts)
    {
        var exceptions = DecimalScale.Convert(values, exponent, integers, parts.Exceptions.Of(values.Length));
        return PlanDecimals(exponent, exceptions, integers);
    }

    private static PlainColumn PlanDecimals(int exponent, int exceptions, ReadOnlySpan<long> integers)
    {
        var prediction = IntegerColumn.Plan(integers, IntegerMeaning.Values, out var bits);
        bits += FirstBits(integers[0]) + ((long)exceptions * DecimalScale.ExceptionBits);
        return new PlainColumn(new PlainForm(ValueForm.Decimals, exponent), prediction, exceptions, bits);
    }

    /// <summary>True when one plan takes fewer bits than another.</summary>
    private static bool IsLess(
        PlainColumn one, ReadOnlySpan<long> integers, PlainColumn other, ReadOnlySpan<long> otherIntegers) =>
        AreFarApart(one.EstimatedBits, other.EstimatedBits)
            ? one.EstimatedBits < other.EstimatedBits
            : one.Bits(integers) < other.Bits(otherIntegers);

    private static void Shift(ReadOnlySpan<ulong> values, int bits, Span<long> into)
    {
        for (var i = 0; i < values.Length; i++)
        {
            into[i] = (long)(values[i] >> bits);
        }
    }

    private static long FirstBits(long first) => 64 - BitOperations.LeadingZeroCount(ZigZag.Of(first));

    private static int SharedZeros(ReadOnlySpan<ulong> values)
    {
        var any = 0UL;
        foreach (var value in values)
        {
            any |= value;
        }

        return any == 0 ? 0 : BitOperations.TrailingZeroCount(any);
    }
}
