using Telemetry.Model.Frames;
using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Schemas;
using static Telemetry.TestKit.Readings.HandMadeFrame;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// A frame that costs its reader as much as its bytes can be made to cost: about 64 KiB or 8,192 readings, all of whose
/// bits go into what is slow to read. They are what a hostile gateway would send.
/// </summary>
internal sealed record CostlyFrame(string Name, MetricType[] Types, byte[] Bytes)
{
    private const int CountMax = FrameHeader.CountMax;
    private const int DeflatedBytes = FrameHeader.BytesMax - 256;

    public static IReadOnlyList<CostlyFrame> All { get; } =
    [
        Groups("dictionaries-of-one", CountMax, 1, bits => Composite(bits, ValueForm.Dictionary)),
        Groups("runs-of-one", CountMax, 1, bits => Composite(bits, ValueForm.Runs)),
        Groups("dictionaries-on-grids", CountMax / 2, 2, DictionaryOnGrid),
        Group("escaped-residuals", 7200, MetricType.Int, bits => Escapes(bits, 7200)),
        Group("exceptions", 7200, MetricType.Float, bits => Exceptions(bits, 7200)),
        FlagRuns(),
        PlainGroups(),
        Declarations(),
        Texts("repeated-text", CountMax, 1, 8, false, new byte[8]),
        Texts("inflated-texts", 16, 16, 4096, true, DeflatedZeros(16 * 4096)),
        Texts("deflated-blocks", 1, 1, 1, true, DeflatedBlocks.OfBytes(DeflatedBytes)),
        RefusedAtTheEnd(),
    ];

    private static CostlyFrame Groups(string name, int groups, int readings, Action<BitWriter> values) => new(
        name,
        [.. Enumerable.Repeat(MetricType.Int, groups)],
        new HandMadeFrame
        {
            Count = groups * readings,
            Payload = Compact(bits => Write(bits, groups, readings, values)),
        }.Seal());

    private static void Write(BitWriter bits, int groups, int readings, Action<BitWriter> values)
    {
        for (var group = 0; group < groups; group++)
        {
            HandMadeFrame.Group(bits, readings, group == 0 ? 1 : readings);
            bits.Bit(false);
            bits.Number((ulong)(group & 1) + 1, NumberContext.Time);
            if (readings > 1)
            {
                bits.Write(0, 2);
                Grid(bits);
            }

            bits.Bit(false);
            values(bits);
        }
    }

    private static void Composite(BitWriter bits, ValueForm form)
    {
        Form(bits, form);
        bits.Number(1, NumberContext.Count);
        Integers(bits, 0);
        bits.Number(form == ValueForm.Runs ? 1UL : 0, NumberContext.Count);
    }

    private static void DictionaryOnGrid(BitWriter bits)
    {
        Form(bits, ValueForm.Dictionary);
        bits.Number(2, NumberContext.Count);
        Integers(bits, 0);
        Grid(bits);
        bits.Number(0, NumberContext.Count);
        Grid(bits);
    }

    /// <summary>One integer behind the first, on a grid, with a block of residuals of its own: 0 + 1.</summary>
    private static void Grid(BitWriter bits)
    {
        Prediction(bits, PredictionKind.Grid);
        bits.Number(2, NumberContext.Step);
        bits.Near(1, NumberContext.Width);
        bits.Write(2, RiceBlocks.SelectorBits(1));
        bits.Write(0, 1);
    }

    private static CostlyFrame Group(string name, int count, MetricType type, Action<BitWriter> values) =>
        new(
            name, [type],
            new HandMadeFrame { Count = count, Payload = Compact(bits => Values(bits, count, values)) }.Seal());

    private static void Escapes(BitWriter bits, int count)
    {
        const int width = 64;
        Integers(bits, 0);
        Prediction(bits, PredictionKind.Slope);
        bits.Near(width, NumberContext.Width);
        for (var i = 1; i < count; i++)
        {
            if ((i - 1) % RiceBlocks.BlockLength == 0)
            {
                bits.Write(1, RiceBlocks.SelectorBits(width));
            }

            bits.Write(0, RiceBlocks.EscapeZeros);
            bits.Write(ulong.MaxValue - (ulong)i, width);
        }
    }

    private static void Exceptions(BitWriter bits, int count)
    {
        bits.Bit(true);
        bits.Number(0, NumberContext.FirstDecimal);
        Prediction(bits, PredictionKind.Constant);
        bits.Bit(true);
        bits.Number((ulong)count, NumberContext.Count);
        for (var i = 0; i < count; i++)
        {
            bits.Number(1, NumberContext.Count);
            bits.Write((ulong)i, 64);
        }
    }

    private static CostlyFrame FlagRuns() => new("flag-runs", [MetricType.Int], new HandMadeFrame
    {
        Count = CountMax,
        Payload = Compact(bits =>
        {
            HandMadeFrame.Group(bits, CountMax, 1);
            Times(bits, CountMax);
            bits.Bit(true);
            for (var i = 0; i < CountMax; i++)
            {
                bits.Write((ulong)(i & 1) * 4, 4);
                bits.Number(1, NumberContext.Count);
            }

            Integers(bits, 0);
            Prediction(bits, PredictionKind.Constant);
        }),
    }.Seal());

    private static CostlyFrame PlainGroups()
    {
        const int groups = 3200;
        return new("plain-groups", [.. Enumerable.Repeat(MetricType.Int, groups)], new HandMadeFrame
        {
            First = 0,
            Count = groups,
            Payload = writer =>
            {
                for (var series = 0; series < groups; series++)
                {
                    writer.Varint((ulong)series);
                    writer.Bytes([1, 1, .. new byte[16]]);
                }
            },
        }.Seal());
    }

    private static CostlyFrame Declarations()
    {
        const int declarations = 3800;
        return new("declarations", [MetricType.Int], new HandMadeFrame
        {
            Bits = 4,
            Count = declarations,
            Dropped = writer => writer.Varint((ulong)declarations),
            Payload = writer =>
            {
                writer.Varint((ulong)declarations);
                for (var i = 0; i < declarations; i++)
                {
                    writer.Bytes([1, 0, 1, .. new byte[14]]);
                }
            },
        }.Seal());
    }

    private static byte[] DeflatedZeros(int bytes) =>
        TextColumn.TryDeflate(new byte[bytes], ColumnScratch.OfThread, out var deflated)
            ? deflated.ToArray() : throw new InvalidOperationException("zeros do not get smaller");

    private static CostlyFrame Texts(string name, int count, int distinct, int length, bool isDeflated, byte[] texts) =>
        new(name, [MetricType.Text], OfTexts(count, distinct, length, isDeflated, texts).Seal());

    /// <summary>A refusal costs an exception; what was read until then is thrown away.</summary>
    private static CostlyFrame RefusedAtTheEnd()
    {
        const int groups = CountMax / 2;
        return new("refused-at-the-end", [.. Enumerable.Repeat(MetricType.Int, groups)], new HandMadeFrame
        {
            Count = groups * 2,
            Payload = Compact(bits => Write(bits, groups, 2, DictionaryOnGrid), [0]),
        }.Seal());
    }
}
