using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>The short way for a value alone makes what the plan of a column makes, whatever form came before.</summary>
public class SingleValueTests
{
    private const int ValuesEach = 2_000;

    private static readonly double[] Special =
    [
        0, -0.0, 1, -1, 0.1, 1e17, 1e-17, 1L << 50, (1L << 51) - 1, 1L << 51, double.NaN, double.NegativeInfinity,
        double.Epsilon, double.MaxValue,
    ];

    public static TheoryData<string> Kinds =>
        ["special", "decimal", "wide decimal", "float", "any bits", "near a decimal"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_double_alone_gets_the_form_and_number_of_its_plan(string kind)
    {
        var random = new Random(11);
        var scratch = ColumnScratch.OfThread.Plain;
        for (var i = 0; i < ValuesEach; i++)
        {
            var value = BitConverter.DoubleToUInt64Bits(Double(kind, i, random));
            foreach (var before in Forms().Where(form => value != 0 || form.Form != ValueForm.Decimals))
            {
                var planned = PlainColumn.Plan([value], MetricType.Float, before, scratch);
                var integer = scratch.Integers.Of(1)[0];
                var form = PlainColumn.PlanOne(value, MetricType.Float, before, out var first);

                Assert.Equal((planned.Form, 0), (form, planned.Exceptions));
                Assert.Equal(form.Form == ValueForm.Bits ? (ulong)integer : ZigZag.Of(integer), first);
            }
        }
    }

    /// <summary>Another would cost a change, and often one back.</summary>
    [Fact]
    public void Zero_takes_the_scale_of_the_column_before()
    {
        foreach (var before in Forms().Where(form => form.Form == ValueForm.Decimals))
        {
            Assert.Equal(before, PlainColumn.PlanOne(0, MetricType.Float, before, out var first));
            Assert.Equal(0UL, first);
        }
    }

    [Fact]
    public void An_integer_alone_gets_the_form_and_number_of_its_plan()
    {
        var random = new Random(12);
        var before = new PlainForm(ValueForm.Integers, 0);
        var scratch = ColumnScratch.OfThread.Plain;
        for (var i = 0; i < ValuesEach; i++)
        {
            var value = (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            var planned = PlainColumn.Plan([value], MetricType.UInt, before, scratch);

            Assert.Equal(planned.Form, PlainColumn.PlanOne(value, MetricType.UInt, before, out var first));
            Assert.Equal(ZigZag.Of(scratch.Integers.Of(1)[0]), first);
        }
    }

    private static IEnumerable<PlainForm> Forms()
    {
        for (var exponent = 0; exponent <= DecimalScale.ExponentMax; exponent++)
        {
            yield return new PlainForm(ValueForm.Decimals, exponent);
        }

        yield return new PlainForm(ValueForm.Bits, 29);
    }

    private static double Double(string kind, int i, Random random) => kind switch
    {
        "special" => Special[i % Special.Length],
        "decimal" => random.Next(-100_000, 100_000) / Math.Pow(10, random.Next(8)),
        "wide decimal" => random.NextInt64(-(1L << 52), 1L << 52) / Math.Pow(10, random.Next(19)),
        "float" => (float)(random.NextDouble() * 30),
        "any bits" => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
        _ => BitConverter.Int64BitsToDouble(
            BitConverter.DoubleToInt64Bits(random.Next(100_000) / 100.0) + random.Next(-1, 2)),
    };
}
