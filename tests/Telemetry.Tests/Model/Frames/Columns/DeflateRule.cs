using Telemetry.Model.Frames.Columns;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Readings;
using static Telemetry.TestKit.Readings.HandMadeDeflate;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>
/// A deflate stream for texts of so many bytes, and whether docs/reference/frame-format.md lets an inflater take it.
/// </summary>
internal sealed record DeflateRule(string Claim, bool IsAccepted, int Length, byte[] Stream)
{
    private const int LengthOf3 = 257, LengthOf115 = 280, LengthOf227 = 284, LengthOf258 = 285;

    /// <summary>The code of 'a' and that of the end, one bit each; no distance has a code.</summary>
    private static readonly int[] OneByte = Lengths(257, ('a', 1), (EndOfBlock, 1));

    /// <summary>The codes of 'a', of the end and of a length of 3.</summary>
    private static readonly int[] ByteAndLength = Lengths(258, ('a', 1), (EndOfBlock, 2), (LengthOf3, 2));

    private static readonly int[] NoCode = [0], OneBit = [1];

    /// <summary>All of them, each of another claim.</summary>
    public static IReadOnlyList<DeflateRule> All { get; } =
        [.. Blocks(), .. Symbols(), .. Codes(), .. LengthsOfCodes(), .. BehindTheTexts()];

    /// <summary>A frame of one reading whose text this is.</summary>
    public FrameRule InFrame()
    {
        var payload = HandMadeFrame.Compact(
            bits =>
            {
                HandMadeFrame.Values(bits, 1, values =>
                {
                    values.Number(1, NumberContext.Count);
                    values.Number((ulong)Length, NumberContext.Count);
                });
                bits.Bit(true);
            },
            Stream);
        var frame = new HandMadeFrame { Payload = payload };
        return FrameRule.Accepted(Claim, frame, MetricType.Text) with { IsAccepted = IsAccepted };
    }

    private static IEnumerable<DeflateRule> Blocks()
    {
        yield return Accepted("a stored block", 3, new HandMadeDeflate().Stored("abc"u8, isLast: true));
        yield return Accepted(
            "a stored block padded with ones", 3, new HandMadeDeflate().Stored("abc"u8, true, padding: 1));
        yield return Refused(
            "a stored block whose lengths do not agree", 3, new HandMadeDeflate().Stored("abc"u8, true, wrong: 1));
        yield return Refused(
            "a stored block that is cut off in the texts", 3, new HandMadeDeflate().Stored("ab"u8, true, length: 3));
        yield return Accepted("a block of fixed codes", 1, Fixed('a', EndOfBlock));
        yield return Accepted("a block of dynamic codes", 2, Dynamic(OneByte, NoCode, 'a', 'a', EndOfBlock));
        yield return Refused("a block of the fourth kind", 1, new HandMadeDeflate().Block(3).Bits(0, 27));
        yield return Refused("a deflate stream of no bytes", 1, new HandMadeDeflate());
        yield return Refused("a last block before the texts are all there", 2, Fixed('a', EndOfBlock));
        yield return Accepted("empty blocks of each kind before the texts", 1, new HandMadeDeflate()
            .Stored([]).Fixed().Symbols(EndOfBlock).Dynamic(OneByte, NoCode).Symbols(EndOfBlock)
            .Fixed(isLast: true).Symbols('a', EndOfBlock));
    }

    private static IEnumerable<DeflateRule> Symbols()
    {
        yield return Accepted(
            "a copy from the texts' beginning", 4, Fixed('a', LengthOf3).Distance(0).Symbols(EndOfBlock));
        yield return Refused("a copy from before the texts", 4, Fixed('a', LengthOf3).Distance(1).Symbols(EndOfBlock));
        yield return Refused("a copy where nothing is yet", 3, Fixed(LengthOf3).Distance(0).Symbols(EndOfBlock));
        yield return Refused("a copy of more than is wanted", 3, Fixed('a', LengthOf3).Distance(0).Symbols(EndOfBlock));
        yield return Accepted(
            "the greatest length by its own symbol", 259, Fixed('a', LengthOf258).Distance(0).Symbols(EndOfBlock));
        yield return Accepted(
            "the greatest length by extra bits", 259,
            Fixed('a', LengthOf227).Bits(31, 5).Distance(0).Symbols(EndOfBlock));
        foreach (var symbol in (int[])[286, 287])
        {
            yield return Refused(
                $"length symbol {symbol} of the fixed codes", 4, Fixed('a', symbol).Distance(0).Symbols(EndOfBlock));
        }

        foreach (var symbol in (int[])[30, 31])
        {
            yield return Refused(
                $"distance symbol {symbol} of the fixed codes", 4, Fixed('a', LengthOf3).Distance(symbol).Bits(0, 24));
        }
    }

    private static IEnumerable<DeflateRule> Codes()
    {
        var twoLong = Lengths(257, ('a', 2), (EndOfBlock, 2));
        var three = Lengths(257, ('a', 1), ('b', 1), (EndOfBlock, 1));
        yield return Refused("codes of literals too few", 1, Dynamic(twoLong, NoCode, 'a', EndOfBlock));
        yield return Refused("codes of literals too many", 1, Dynamic(three, NoCode, 'a', EndOfBlock));

        // Six codes of one bit end with a byte: that there is no end is all that is wrong.
        var endless = Lengths(257, ('a', 1), ('b', 1));
        yield return Refused(
            "no code of the end of a block", 6, Dynamic(endless, NoCode, 'a', 'a', 'a', 'a', 'a', 'a'));
        var end = Lengths(257, (EndOfBlock, 1));
        yield return Accepted(
            "the end of a block alone, of one bit", 1, Dynamic(end, NoCode, EndOfBlock).Stored("a"u8, true));
        yield return Refused(
            "a bit that is no code beside the end", 1, Dynamic(end, NoCode).Bits(1, 1).Symbols(EndOfBlock));
        yield return Refused(
            "the end of a block alone, of two bits", 1,
            Dynamic(Lengths(257, (EndOfBlock, 2)), NoCode, EndOfBlock).Stored("a"u8, true));
        yield return Accepted(
            "one distance of one bit", 4,
            Dynamic(ByteAndLength, OneBit, 'a', LengthOf3).Distance(0).Symbols(EndOfBlock));
        yield return Refused(
            "a bit that is no code beside the one distance", 4,
            Dynamic(ByteAndLength, OneBit, 'a', LengthOf3).Bits(1, 9));
        yield return Refused("one distance of two bits", 1, Dynamic(ByteAndLength, [2], 'a', EndOfBlock));
        yield return Refused("codes of distances too few", 1, Dynamic(ByteAndLength, [2, 2, 2], 'a', EndOfBlock));
        yield return Refused("codes of distances too many", 1, Dynamic(ByteAndLength, [1, 1, 1], 'a', EndOfBlock));
        yield return Accepted("no distance, and no length", 1, Dynamic(ByteAndLength, NoCode, 'a', EndOfBlock));
        yield return Refused(
            "a length without any distance", 4, Dynamic(ByteAndLength, NoCode, 'a', LengthOf3).Bits(0, 24));
        yield return Refused(
            "287 literals and lengths", 1, Dynamic([.. OneByte, .. new int[30]], NoCode, 'a', EndOfBlock));
        yield return Accepted(
            "286 literals and lengths", 1, Dynamic([.. OneByte, .. new int[29]], NoCode, 'a', EndOfBlock));
        yield return Refused("31 distances", 1, Dynamic(OneByte, new int[31], 'a', EndOfBlock));
        yield return Accepted("30 distances", 1, Dynamic(OneByte, new int[30], 'a', EndOfBlock));
    }

    /// <summary>
    /// The codes behind each of these headers are right as far as they go, and so is the 'a' behind them.
    /// </summary>
    private static IEnumerable<DeflateRule> LengthsOfCodes()
    {
        var repeats = Lengths(19, (0, 2), (1, 2), (Repeat, 2), (LongZeros, 2));
        int[] lengths = [.. OneByte, 0];
        yield return Refused("no code of a code length", 1, Header(new int[19]).Bits(0, 300));
        yield return Refused("codes of code lengths too few", 1, Ended(Header(Lengths(19, (0, 2), (1, 2))), lengths));
        yield return Refused(
            "codes of code lengths too many", 1, Ended(Header(Lengths(19, (0, 1), (1, 1), (2, 1))), lengths));
        yield return Accepted("repeats from literals into distances", 1, new HandMadeDeflate()
            .Dynamic(OneByte, [1, 1], codeLengths: repeats).Symbols('a', EndOfBlock));
        yield return Refused(
            "a repeat of no length", 1, Ended(Header(repeats).CodeLength(Repeat).Bits(0, 2), lengths[3..]));
        yield return Refused(
            "a repeat behind the last code", 1, Ended(Header(repeats), OneByte, h => h.CodeLength(Repeat).Bits(0, 2)));
        yield return Refused(
            "zeros behind the last code", 1, Ended(Header(repeats), OneByte, h => h.CodeLength(LongZeros).Bits(0, 7)));
    }

    /// <summary>What is met before the stream's end counts, whether or not the texts are all there.</summary>
    private static IEnumerable<DeflateRule> BehindTheTexts()
    {
        yield return Accepted("texts that end within a block", 1, Fixed('a'));
        yield return Accepted("an end of block that is not the last", 1, new HandMadeDeflate().Stored("a"u8));
        yield return Refused("one byte more than is wanted", 1, Fixed('a', 'a'));
        yield return Refused(
            "a block of the fourth kind behind the texts", 1, new HandMadeDeflate().Stored("a"u8).Block(3));
        yield return Accepted(
            "a block of the fourth kind behind the last", 1, new HandMadeDeflate().Stored("a"u8, true).Block(3));
        yield return Accepted("a stored block behind the texts, cut off before its bytes", 1, new HandMadeDeflate()
            .Stored("a"u8).Stored([], length: 2));
        yield return Refused("a stored block behind the texts, cut off behind a byte", 1, new HandMadeDeflate()
            .Stored("a"u8).Stored("b"u8, length: 2));
        yield return Accepted("empty blocks behind the texts", 1, new HandMadeDeflate()
            .Stored("a"u8).Stored([]).Fixed(isLast: true).Symbols(EndOfBlock));
        yield return Accepted("a length behind the texts, cut off before its distance", 1, Fixed('a', LengthOf115));
        yield return Refused("a length symbol behind the texts that is none", 1, Fixed('a', 286));
        yield return Refused("a copy behind the texts", 1, Fixed('a', LengthOf3).Distance(0));
        yield return Accepted(
            "codes behind the texts, cut off", 1,
            new HandMadeDeflate().Stored("a"u8).Header(257, 1, Lengths(19, (1, 1), (LongZeros, 1))));
        yield return Accepted("a repeat of no length behind the texts, cut off in its number", 1, new HandMadeDeflate()
            .Stored("a"u8).Header(257, 1, Lengths(19, (0, 1), (Repeat, 2), (ShortZeros, 2))).CodeLength(Repeat));
        yield return Refused(
            "wrong codes behind the texts", 1, new HandMadeDeflate().Stored("a"u8).Header(257, 1, Lengths(19, (1, 1))));
        yield return Accepted("no code of a code length behind the texts, cut off", 1, new HandMadeDeflate()
            .Stored("a"u8).Header(257, 1, new int[19]));
    }

    private static HandMadeDeflate Header(int[] codeLengths) => new HandMadeDeflate().Header(257, 1, codeLengths);

    /// <summary>A header's lengths of codes and the block, which is of <see cref="OneByte"/>.</summary>
    private static HandMadeDeflate Ended(HandMadeDeflate header, int[] lengths, Action<HandMadeDeflate>? last = null)
    {
        foreach (var length in lengths)
        {
            header.CodeLength(length);
        }

        last?.Invoke(header);
        return header.Bits(0b10, 2);
    }

    private static HandMadeDeflate Fixed(params ReadOnlySpan<int> symbols) =>
        new HandMadeDeflate().Fixed(isLast: true).Symbols(symbols);

    private static HandMadeDeflate Dynamic(int[] literals, int[] distances, params ReadOnlySpan<int> symbols) =>
        new HandMadeDeflate().Dynamic(literals, distances).Symbols(symbols);

    private static DeflateRule Accepted(string claim, int length, HandMadeDeflate stream) =>
        new(claim, true, length, stream.ToBytes());

    private static DeflateRule Refused(string claim, int length, HandMadeDeflate stream) =>
        new(claim, false, length, stream.ToBytes());
}
