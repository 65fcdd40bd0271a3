namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// What the symbols of a deflate stream's three alphabets mean (RFC 1951, 3.2.5 and 3.2.7), and the codes that are
/// fixed.
/// </summary>
internal static class DeflateAlphabets
{
    public const int EndOfBlock = 256;

    /// <summary>Among the lengths of codes: the one before, 3 to 6 times; zeros, 3 to 10 and 11 to 138.</summary>
    public const int Repeat = 16, ShortZeros = 17, LongZeros = 18;

    private const int LiteralTableBits = 9, DistanceTableBits = 8, LengthTableBits = 7;

    private static readonly uint[] LiteralMeanings = MakeLiteralMeanings();
    private static readonly uint[] DistanceMeanings = MakeDistanceMeanings();

    /// <summary>The fixed code of bytes, lengths and the end of the block.</summary>
    public static HuffmanCode FixedLiterals { get; } = Made(LiteralCode(), (144, 8), (112, 9), (24, 7), (8, 8));

    /// <summary>The fixed code of distances.</summary>
    public static HuffmanCode FixedDistances { get; } = Made(DistanceCode(), (32, 5));

    /// <summary>In which order a block gives the lengths of the codes of lengths.</summary>
    public static ReadOnlySpan<byte> LengthsOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>A code of bytes, lengths and the end of the block, not made yet.</summary>
    public static HuffmanCode LiteralCode() => new(LiteralMeanings, LiteralTableBits);

    /// <summary>A code of distances, not made yet.</summary>
    public static HuffmanCode DistanceCode() => new(DistanceMeanings, DistanceTableBits);

    /// <summary>A code of lengths of codes, not made yet.</summary>
    public static HuffmanCode LengthCode() => new(MakeLengthMeanings(), LengthTableBits);

    private static uint[] MakeLiteralMeanings()
    {
        const int symbols = 288, firstLength = 257, longestLength = 285;
        var meanings = new uint[symbols];
        for (var literal = 0; literal < EndOfBlock; literal++)
        {
            meanings[literal] = HuffmanCode.Meaning(HuffmanCode.ByteKind, literal);
        }

        meanings[EndOfBlock] = HuffmanCode.Meaning(HuffmanCode.EndKind, 0);

        // Lengths from 3 on: eight without extra bits, then four each with one more; the longest stands for itself.
        var length = 3;
        for (var symbol = firstLength; symbol < longestLength; symbol++)
        {
            var extraBits = Math.Max(0, ((symbol - firstLength) / 4) - 1);
            meanings[symbol] = HuffmanCode.Meaning(HuffmanCode.CopyKind, length, extraBits);
            length += 1 << extraBits;
        }

        meanings[longestLength] = HuffmanCode.Meaning(HuffmanCode.CopyKind, 258);
        meanings.AsSpan(longestLength + 1).Fill(HuffmanCode.Meaning(HuffmanCode.NoKind, 0));
        return meanings;
    }

    private static uint[] MakeDistanceMeanings()
    {
        const int symbols = 32, used = 30;
        var meanings = new uint[symbols];

        // Distances from 1 on: four without extra bits, then two each with one more.
        var distance = 1;
        for (var symbol = 0; symbol < used; symbol++)
        {
            var extraBits = Math.Max(0, (symbol / 2) - 1);
            meanings[symbol] = HuffmanCode.Meaning(HuffmanCode.CopyKind, distance, extraBits);
            distance += 1 << extraBits;
        }

        meanings.AsSpan(used).Fill(HuffmanCode.Meaning(HuffmanCode.NoKind, 0));
        return meanings;
    }

    private static uint[] MakeLengthMeanings()
    {
        var meanings = new uint[LengthsOrder.Length];
        for (var symbol = 0; symbol < meanings.Length; symbol++)
        {
            var extraBits = symbol switch { Repeat => 2, ShortZeros => 3, LongZeros => 7, _ => 0 };
            meanings[symbol] = HuffmanCode.Meaning(HuffmanCode.ByteKind, symbol, extraBits);
        }

        return meanings;
    }

    private static HuffmanCode Made(HuffmanCode code, params ReadOnlySpan<(int Symbols, int Length)> runs)
    {
        var symbol = 0;
        foreach (var (symbols, length) in runs)
        {
            code.Add(symbol, symbols, length);
            symbol += symbols;
        }

        code.TryMake(mayLackOne: false);
        return code;
    }
}
