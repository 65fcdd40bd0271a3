using Telemetry.Model.Frames.Columns;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// A deflate stream (RFC 1951) put together by hand, block by block, as strangers may send it and no deflater makes it.
/// </summary>
internal sealed class HandMadeDeflate
{
    public const int EndOfBlock = 256;

    /// <summary>
    /// Of the symbols for code lengths: the length before, 3 to 6 times; zeros, 3 to 10 and 11 to 138.
    /// </summary>
    public const int Repeat = 16, ShortZeros = 17, LongZeros = 18;

    private const int RepeatMin = 3, RepeatMax = 6;

    private static readonly int[] LengthsOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>Codes of code lengths for all lengths and no repeats: each is four bits.</summary>
    private static readonly int[] NoRepeats = [.. Enumerable.Repeat(4, Repeat), 0, 0, 0];

    private readonly BitWriter _bits = new();
    private int[] _codeLengths = [];
    private int[] _literals = [];
    private int[] _distances = [];

    /// <summary>How many bits it has.</summary>
    public int BitCount { get; private set; }

    /// <summary>The stream, its last byte filled up with zeros.</summary>
    public byte[] ToBytes() => _bits.Finish().ToArray();

    /// <summary>So many bits.</summary>
    public HandMadeDeflate Bits(int value, int bits)
    {
        _bits.Write((ulong)value, bits);
        BitCount += bits;
        return this;
    }

    /// <summary>The beginning of a block.</summary>
    public HandMadeDeflate Block(int kind, bool isLast = false) => Bits(isLast ? 1 : 0, 1).Bits(kind, 2);

    /// <summary>
    /// A stored block; its padding is made of one bit or the other, its inverted length may be wrong.
    /// </summary>
    public HandMadeDeflate Stored(
        ReadOnlySpan<byte> bytes, bool isLast = false, int length = -1, int padding = 0, int wrong = 0)
    {
        Block(0, isLast);
        while (BitCount % 8 > 0)
        {
            Bits(padding, 1);
        }

        length = length < 0 ? bytes.Length : length;
        Bits(length, 16).Bits(length ^ 0xffff ^ wrong, 16);
        foreach (var value in bytes)
        {
            Bits(value, 8);
        }

        return this;
    }

    /// <summary>The beginning of a block of fixed codes.</summary>
    public HandMadeDeflate Fixed(bool isLast = false)
    {
        _literals = [.. Enumerable.Range(0, 288).Select(i => i switch { < 144 => 8, < 256 => 9, < 280 => 7, _ => 8 })];
        _distances = [.. Enumerable.Repeat(5, 32)];
        return Block(1, isLast);
    }

    /// <summary>
    /// The beginning of a block of codes of these lengths. The code of lengths has repeats or not; where it has, a
    /// length of several symbols in a row is repeated.
    /// </summary>
    public HandMadeDeflate Dynamic(int[] literals, int[] distances, bool isLast = false, int[]? codeLengths = null)
    {
        codeLengths ??= NoRepeats;
        Header(literals.Length, distances.Length, codeLengths, isLast);
        int[] lengths = [.. literals, .. distances];
        for (var i = 0; i < lengths.Length; i++)
        {
            CodeLength(lengths[i]);
            while (codeLengths[Repeat] > 0 && RunFrom(lengths, i) is >= RepeatMin and var run)
            {
                var repeats = Math.Min(run, RepeatMax);
                CodeLength(Repeat).Bits(repeats - RepeatMin, 2);
                i += repeats;
            }
        }

        (_literals, _distances) = (literals, distances);
        return this;
    }

    /// <summary>The beginning of a block of dynamic codes, up to the code of their lengths.</summary>
    public HandMadeDeflate Header(int literals, int distances, int[] codeLengths, bool isLast = false)
    {
        _codeLengths = codeLengths;
        var stated = Math.Max(4, 1 + Array.FindLastIndex(LengthsOrder, symbol => codeLengths[symbol] > 0));
        Block(2, isLast).Bits(literals - 257, 5).Bits(distances - 1, 5).Bits(stated - 4, 4);
        foreach (var symbol in LengthsOrder.AsSpan(0, stated))
        {
            Bits(codeLengths[symbol], 3);
        }

        return this;
    }

    /// <summary>A length of a code, or what stands for several, by the header's code of lengths.</summary>
    public HandMadeDeflate CodeLength(int symbol) =>
        Bits(CanonicalCodes.Of(_codeLengths)[symbol], _codeLengths[symbol]);

    /// <summary>The codes of bytes, lengths or the end of the block.</summary>
    public HandMadeDeflate Symbols(params ReadOnlySpan<int> symbols)
    {
        var codes = CanonicalCodes.Of(_literals);
        foreach (var symbol in symbols)
        {
            Bits(codes[symbol], _literals[symbol]);
        }

        return this;
    }

    /// <summary>The code of a distance.</summary>
    public HandMadeDeflate Distance(int symbol) => Bits(CanonicalCodes.Of(_distances)[symbol], _distances[symbol]);

    /// <summary>The lengths of so many symbols' codes, 0 of those that are not named.</summary>
    public static int[] Lengths(int symbols, params ReadOnlySpan<(int Symbol, int Length)> named)
    {
        var lengths = new int[symbols];
        foreach (var (symbol, length) in named)
        {
            lengths[symbol] = length;
        }

        return lengths;
    }

    /// <summary>How many equal lengths are behind this one.</summary>
    private static int RunFrom(int[] lengths, int at)
    {
        var run = 0;
        while (at + run + 1 < lengths.Length && lengths[at + run + 1] == lengths[at])
        {
            run++;
        }

        return run;
    }
}
