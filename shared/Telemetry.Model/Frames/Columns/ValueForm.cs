using System.Runtime.CompilerServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Frames.Columns;

/// <summary>How a column of values is encoded; written as three bits.</summary>
internal enum ValueForm : byte
{
    /// <summary>Plain: the values' 64 bits as signed integers.</summary>
    Integers = 0,

    /// <summary>Plain: doubles as integers over a power of ten, see <see cref="DecimalScale"/>.</summary>
    Decimals = 1,

    /// <summary>Plain: the bits of doubles, without the low ones that are 0 in all of them.</summary>
    Bits = 2,

    /// <summary>The distinct values and each value's place among them.</summary>
    Dictionary = 3,

    /// <summary>The values of runs and the runs' lengths.</summary>
    Runs = 4,
}

/// <summary>
/// A form with its parameter: of Decimals the exponent of ten, of Bits the number of low bits left out. A plain column
/// may repeat the form of the last plain column of its type.
/// </summary>
internal readonly record struct PlainForm(ValueForm Form, int Parameter)
{
    private const int FormBits = 3, ExponentBits = 5, ShiftBits = 6;

    /// <summary>The context of a column's first integer. The contexts are in the order of the forms.</summary>
    public NumberContext First => NumberContext.FirstInteger + (int)Form;

    private int ParameterBits => Form switch
    {
        ValueForm.Decimals => ExponentBits,
        ValueForm.Bits => ShiftBits,
        _ => 0,
    };

    /// <summary>
    /// Writes a plain form:
    /// <code>
    /// 1       1: that of the last plain column of this type (at first: Decimals 1 for Float, Integers for the others)
    /// 0:
    ///   3       form
    ///   5 or 6  exponent of Decimals, or bits left out of Bits
    /// </code>
    /// </summary>
    public void Write(BitWriter writer, ref PlainForms before, MetricType type)
    {
        writer.Bit(before[(int)type] == this);
        if (before[(int)type] != this)
        {
            WriteForm(writer, Form);
            writer.Write((ulong)Parameter, ParameterBits);
            before[(int)type] = this;
        }
    }

    /// <summary>Writes the form of a column that is not plain.</summary>
    public static void WriteComposite(BitWriter writer, ValueForm form)
    {
        writer.Bit(false);
        WriteForm(writer, form);
    }

    /// <summary>Reads a form; one that is not plain has no parameter.</summary>
    public static PlainForm Read(ref BitReader reader, ref PlainForms before, MetricType type)
    {
        if (reader.Bit())
        {
            return before[(int)type];
        }

        var form = (ValueForm)reader.Read(FormBits);
        var parameter = form switch
        {
            ValueForm.Decimals when type == MetricType.Float => (int)reader.Read(ExponentBits),
            ValueForm.Bits when type == MetricType.Float => (int)reader.Read(ShiftBits),
            ValueForm.Integers when type != MetricType.Float => 0,
            ValueForm.Dictionary or ValueForm.Runs => 0,
            _ => throw reader.Malformed($"form {(byte)form} of a {type}"),
        };
        if (form == ValueForm.Decimals && parameter > DecimalScale.ExponentMax)
        {
            throw reader.Malformed($"10^{parameter}");
        }

        var plain = new PlainForm(form, parameter);
        if (form <= ValueForm.Bits)
        {
            before[(int)type] = plain;
        }

        return plain;
    }

    private static void WriteForm(BitWriter writer, ValueForm form) => writer.Write((ulong)form, FormBits);
}

/// <summary>The last plain form of each type.</summary>
[InlineArray((int)MetricType.Text)]
internal struct PlainForms
{
    private PlainForm _first;

    /// <summary>The forms before the first column.</summary>
    public static PlainForms AtStart()
    {
        var forms = default(PlainForms);
        forms[(int)MetricType.Float] = new PlainForm(ValueForm.Decimals, 1);
        return forms;
    }
}
