using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;
using static Telemetry.TestKit.Readings.HandMadeFrame;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>The rules of compact columns of values: forms, dictionaries, runs, decimals and their exceptions.</summary>
internal static class CompactValueRules
{
    /// <summary>The zigzag of 2^51.</summary>
    private const ulong DecimalEnd = 1UL << 52;

    public static IEnumerable<FrameRule> All() => [.. Forms(), .. Composites(), .. Decimals()];

    private static IEnumerable<FrameRule> Forms()
    {
        yield return One("form 5", false, MetricType.Int, bits =>
        {
            Form(bits, (ValueForm)5);
            bits.Number(0, NumberContext.FirstBits);
        });
        yield return One("Decimals of an Int", false, MetricType.Int, bits => Exponent(bits, 0));
        yield return One("Decimals of a Float", true, MetricType.Float, bits => Exponent(bits, 17));
        yield return One("exponent 18", false, MetricType.Float, bits => Exponent(bits, 18));
        yield return One("Integers of a Float", false, MetricType.Float, bits =>
        {
            Form(bits, ValueForm.Integers);
            bits.Number(0, NumberContext.FirstInteger);
        });
        yield return One("a compact Bool of 2", true, MetricType.Bool, bits => Integers(bits, 4));
        yield return One("Runs inside a Dictionary", false, MetricType.Int, bits =>
        {
            Form(bits, ValueForm.Dictionary);
            bits.Number(1, NumberContext.Count);
            Form(bits, ValueForm.Runs);
            bits.Number(1, NumberContext.Count);
            Integers(bits, 0);
            bits.Number(1, NumberContext.Count);
            bits.Number(0, NumberContext.Count);
        });
    }

    private static IEnumerable<FrameRule> Composites()
    {
        yield return Two("equal and unused values in a Dictionary", true, ValueForm.Dictionary, 2, 1);
        yield return Two("more values in a Dictionary than readings", false, ValueForm.Dictionary, 3, 1);
        yield return Two("a place that is not in the Dictionary", false, ValueForm.Dictionary, 2, 2);
        yield return Two("Runs of one value", true, ValueForm.Runs, 2, 1);
        yield return Two("Runs of too many", false, ValueForm.Runs, 2, 2);
        yield return Two("Runs of too few", false, ValueForm.Runs, 1, 1);
        yield return Two("runs of none", false, ValueForm.Runs, 2, 0);
    }

    private static IEnumerable<FrameRule> Decimals()
    {
        yield return Decimal("a decimal of 2^51", false, DecimalEnd, []);
        yield return Decimal("a decimal of -2^51", true, DecimalEnd - 1, []);
        yield return Decimal("a decimal of 2^51 at the place of an exception", false, DecimalEnd, [1]);
        yield return Decimal("an exception that is a decimal", true, 0, [1]);
        yield return Decimal("more exceptions than values", false, 0, [1, 1]);
        yield return Decimal("an exception behind the values", false, 0, [2]);
    }

    private static FrameRule One(string claim, bool isAccepted, MetricType type, Action<BitWriter> column) =>
        Rule(claim, isAccepted, 1, type, column);

    /// <summary>
    /// Two Ints of so many values, all of them 0, whose places or lengths are all <paramref name="number"/>.
    /// </summary>
    private static FrameRule Two(string claim, bool isAccepted, ValueForm form, int values, ulong number) =>
        Rule(claim, isAccepted, 2, MetricType.Int, bits =>
        {
            Form(bits, form);
            bits.Number((ulong)values, NumberContext.Count);
            Integers(bits, 0);
            if (values > 1)
            {
                Prediction(bits, PredictionKind.Constant);
            }

            bits.Number(number, NumberContext.Count);
            if (values > 1 || form == ValueForm.Dictionary)
            {
                Prediction(bits, PredictionKind.Constant);
            }
        });

    private static FrameRule Decimal(string claim, bool isAccepted, ulong zigzag, int[] exceptions) =>
        One(claim, isAccepted, MetricType.Float, bits =>
        {
            bits.Bit(true);
            bits.Number(zigzag, NumberContext.FirstDecimal);
            bits.Bit(exceptions.Length > 0);
            if (exceptions.Length > 0)
            {
                bits.Number((ulong)exceptions.Length, NumberContext.Count);
            }

            foreach (var place in exceptions)
            {
                bits.Number((ulong)place, NumberContext.Count);
                bits.Write(0, 64);
            }
        });

    private static void Exponent(BitWriter bits, ulong exponent)
    {
        Form(bits, ValueForm.Decimals);
        bits.Write(exponent, 5);
        bits.Number(0, NumberContext.FirstDecimal);
        bits.Bit(false);
    }

    private static FrameRule Rule(string claim, bool isAccepted, int count, MetricType type, Action<BitWriter> column)
    {
        var frame = new HandMadeFrame { Count = count, Payload = Compact(bits => Values(bits, count, column)) };
        return FrameRule.Accepted(claim, frame, type) with { IsAccepted = isAccepted };
    }
}
