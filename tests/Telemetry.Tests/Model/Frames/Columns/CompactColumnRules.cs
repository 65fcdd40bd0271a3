using System.IO.Compression;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;
using static Telemetry.TestKit.Readings.HandMadeFrame;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>The rules of compact columns: groups, times, flags, integers, texts.</summary>
internal static class CompactColumnRules
{
    public static IEnumerable<FrameRule> All() => [.. Groups(), .. Predictions(), .. Texts()];

    private static IEnumerable<FrameRule> Groups()
    {
        MetricType[] two = [MetricType.Int, MetricType.Int];
        yield return Refused("a gamma of 32 zeros", 1, b => b.Write(1UL << 32, 64));
        yield return Refused("a compact series of no schema", 1, b => b.Gamma(2));
        yield return Refused("more readings in a group than are left", 1, b => Values(b, 2, Zeros));
        yield return Refused("a compact group without readings", 1, b =>
        {
            b.Gamma(1);
            b.Bit(false);
            b.Number(0, NumberContext.Count);
        });
        yield return Refused("a length of 65", 1, b => Values(b, 1, v =>
        {
            v.Bit(true);
            v.Near(65, NumberContext.FirstInteger);
            v.Write(0, 64);
        }));
        yield return Refused("times of an earlier group where there is none", 1, b =>
        {
            Group(b, 1, 1);
            b.Bit(true);
            b.Gamma(1);
        });
        yield return Refused("times of an earlier group of another count", 3, b =>
        {
            Values(b, 1, v => Integers(v, 0));
            Group(b, 2, 1);
            b.Bit(true);
            b.Gamma(1);
            b.Bit(false);
            Zeros(b);
        }, two);
        yield return Accepted("times of an earlier group", 2, b =>
        {
            Values(b, 1, v => Integers(v, 0));
            Group(b, 1, 1);
            b.Bit(true);
            b.Gamma(1);
            b.Bit(false);
            Integers(b, 0);
        }, two);
        yield return Accepted("compact times that fall", 2, b =>
        {
            Group(b, 2, 1);
            b.Bit(false);
            b.Number(0, NumberContext.Time);
            b.Write(0, 2);
            Prediction(b, PredictionKind.Step);
            b.Number(1, NumberContext.Step);
            b.Near(0, NumberContext.Width);
            b.Bit(false);
            Zeros(b);
        });
        yield return Refused("more flags than readings", 1, b =>
        {
            Group(b, 1, 1);
            Times(b, 1);
            b.Bit(true);
            b.Write(4, 4);
            b.Number(2, NumberContext.Count);
        });
        yield return Refused("ones behind the last group", 1, b =>
        {
            Values(b, 1, v => Integers(v, 0));
            b.Bit(true);
        });
        yield return FrameRule.Refused(
            "a byte behind the last group",
            new HandMadeFrame { Payload = Compact(b => Values(b, 1, v => Integers(v, 0)), [0]) });
    }

    private static IEnumerable<FrameRule> Predictions()
    {
        yield return Refused("prediction 7", 2, b => Values(b, 2, v =>
        {
            Integers(v, 0);
            v.Write(7, 3);
            v.Near(0, NumberContext.Width);
        }));
        yield return Refused("a grid below 0", 2, b => Values(b, 2, v => Grid(v, 1)));
        yield return Refused("a grid of 2^50", 2, b => Values(b, 2, v => Grid(v, 2UL << 50)));
        yield return Accepted("a grid below 2^50", 2, b => Values(b, 2, v => Grid(v, (2UL << 50) - 2)));
        yield return Refused("a selector over w + 1", 2, b => Values(b, 2, v => Residual(v, 4, 7, 1, codeBits: 7)));
        yield return Refused("a selector over 49", 2, b => Values(b, 2, v => Residual(v, 60, 50, 1, codeBits: 50)));
        yield return Accepted("selector 49", 2, b => Values(b, 2, v => Residual(v, 60, 49, 1, codeBits: 49)));
        yield return Accepted(
            "a residual of more than w bits", 2, b => Values(b, 2, v => Residual(v, 1, 1, 1 << 7, codeBits: 8)));
    }

    private static IEnumerable<FrameRule> Texts()
    {
        var deflated = Deflate(new byte[100]);
        yield return Text("texts as they are", true, 1, 1, 2, false, "ab"u8);
        yield return Text("a compact text that is no UTF-8", true, 1, 1, 1, false, [0xff]);
        yield return Text("equal and unused texts", true, 2, 2, 1, false, "aa"u8);
        yield return Text("more distinct texts than readings", false, 1, 2, 1, false, "ab"u8);
        yield return Text("a compact text of 4,097 bytes", false, 1, 1, 4097, false, new byte[4097]);
        yield return Text("texts of all readings of 65,536 bytes", true, 16, 1, 4096, false, new byte[4096]);
        yield return Text("texts of all readings of more than 65,536 bytes", false, 17, 1, 4096, false, new byte[4096]);
        yield return Text(
            "distinct texts of over 65,536 bytes", false, 17, 17, 4096, true, Deflate(new byte[17 * 4096]));
        yield return Text("too few bytes of text", false, 1, 1, 2, false, "a"u8);
        yield return Text("too many bytes of text", false, 1, 1, 2, false, "abc"u8);
        yield return Text("deflated texts", true, 1, 1, 100, true, deflated);
        yield return Text("deflated texts that are too short", false, 1, 1, 101, true, deflated);
        yield return Text("deflated texts that are too long", false, 1, 1, 99, true, deflated);
        yield return Text("deflated texts that are none", false, 1, 1, 100, true, [0xff, 0xff]);
        yield return Text("bytes behind the deflated texts' end", true, 1, 1, 100, true, [.. deflated, 1, 2]);
        yield return Text("deflated texts without an end", true, 1, 1, 1, true, [0, 1, 0, 0xfe, 0xff, 65]);
    }

    private static FrameRule Accepted(string claim, int count, Action<BitWriter> groups, params MetricType[] types) =>
        FrameRule.Accepted(claim, new HandMadeFrame { Count = count, Payload = Compact(groups) }, types);

    private static FrameRule Refused(string claim, int count, Action<BitWriter> groups, params MetricType[] types) =>
        FrameRule.Refused(claim, new HandMadeFrame { Count = count, Payload = Compact(groups) }, types);

    private static FrameRule Text(
        string claim, bool isAccepted, int count, int distinct, int length, bool isDeflated, ReadOnlySpan<byte> texts)
    {
        var frame = OfTexts(count, distinct, length, isDeflated, texts.ToArray());
        return FrameRule.Accepted(claim, frame, MetricType.Text) with { IsAccepted = isAccepted };
    }

    private static void Zeros(BitWriter bits)
    {
        Integers(bits, 0);
        Prediction(bits, PredictionKind.Constant);
    }

    private static void Grid(BitWriter bits, ulong zigzag)
    {
        Integers(bits, 0);
        Prediction(bits, PredictionKind.Grid);
        bits.Number(zigzag, NumberContext.Step);
        bits.Near(0, NumberContext.Width);
    }

    private static void Residual(BitWriter bits, int width, int selector, ulong code, int codeBits)
    {
        Integers(bits, 0);
        Prediction(bits, PredictionKind.Last);
        bits.Near(width, NumberContext.Width);
        bits.Write((ulong)selector, RiceBlocks.SelectorBits(width));
        bits.Write(code, codeBits);
    }

    private static byte[] Deflate(byte[] bytes)
    {
        var into = new MemoryStream();
        using (var deflate = new DeflateStream(into, CompressionLevel.SmallestSize))
        {
            deflate.Write(bytes);
        }

        return into.ToArray();
    }
}
