namespace Telemetry.TestKit.Readings;

/// <summary>Huffman codes by their lengths (RFC 1951, 3.2.2).</summary>
internal static class CanonicalCodes
{
    /// <summary>The code of each symbol, as it stands in a stream whose bits begin with the least.</summary>
    public static int[] Of(ReadOnlySpan<int> lengths)
    {
        var codes = new int[lengths.Length];
        var next = 0;
        for (var length = 1; length <= 15; length++)
        {
            next <<= 1;
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                {
                    codes[symbol] = Reversed(next++, length);
                }
            }
        }

        return codes;
    }

    private static int Reversed(int code, int bits)
    {
        var reversed = 0;
        for (var bit = 0; bit < bits; bit++)
        {
            reversed |= ((code >> bit) & 1) << (bits - 1 - bit);
        }

        return reversed;
    }
}
