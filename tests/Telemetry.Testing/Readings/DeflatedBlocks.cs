using Telemetry.Model.Frames.Columns;

namespace Telemetry.Testing.Readings;

/// <summary>
/// A deflate stream (RFC 1951) that makes an inflater build tables for nothing: blocks of dynamic Huffman codes that
/// end as they begin, each of 136 bits and with a table of 1,024 entries; then one text of one byte.
/// </summary>
internal static class DeflatedBlocks
{
    public const byte Text = (byte)'x';

    private const int EndOfBlock = 256, LongRunOfZeros = 18, LiteralLengthMax = 10;

    /// <summary>An empty block, and a byte's worth more than the last block.</summary>
    private const int BlockBits = 136, LastBlockBits = 24;

    /// <summary>In which order a block gives the lengths of the codes of code lengths.</summary>
    private static readonly int[] LengthsOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1];

    /// <summary>Of code lengths 0 to 18: four codes of three bits, eight of four.</summary>
    private static readonly int[] CodeLengths = [4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 3];

    /// <summary>The most of these blocks that fit into so many bytes, and the text behind them.</summary>
    public static byte[] OfBytes(int bytes)
    {
        var codes = Codes(CodeLengths);
        var bits = new BitWriter();
        for (var left = (bytes * 8) - LastBlockBits; left >= BlockBits; left -= BlockBits)
        {
            WriteEmptyBlock(bits, codes);
        }

        // The last block, of fixed codes: the text's byte, eight bits from 0x30 on, and seven zeros.
        bits.Write(0b011, 3);
        bits.Write(Reversed(0x30 + Text, 8), 8);
        bits.Write(0, 7);
        return bits.Finish().ToArray();
    }

    private static void WriteEmptyBlock(BitWriter bits, int[] codes)
    {
        bits.Write(0b100, 3);
        bits.Write(0, 5);
        bits.Write(0, 5);
        bits.Write((ulong)LengthsOrder.Length - 4, 4);
        foreach (var symbol in LengthsOrder)
        {
            bits.Write((ulong)CodeLengths[symbol], 3);
        }

        // Literals 0 to 9 have lengths 2 to 10 and 10, the end has 1: the code is complete.
        for (var literal = 0; literal < LiteralLengthMax; literal++)
        {
            Put(Math.Min(literal + 2, LiteralLengthMax));
        }

        var zeros = EndOfBlock - LiteralLengthMax;
        foreach (var run in (int[])[zeros / 2, zeros - (zeros / 2)])
        {
            Put(LongRunOfZeros);
            bits.Write((ulong)run - 11, 7);
        }

        Put(1);
        Put(0);
        bits.Write(0, 1);

        void Put(int length) => bits.Write((ulong)codes[length], CodeLengths[length]);
    }

    /// <summary>Canonical Huffman codes, as they stand in a stream whose bits begin with the least.</summary>
    private static int[] Codes(int[] lengths)
    {
        var codes = new int[lengths.Length];
        var next = 0;
        for (var length = 1; length <= lengths.Max(); length++)
        {
            next <<= 1;
            for (var symbol = 0; symbol < lengths.Length; symbol++)
            {
                if (lengths[symbol] == length)
                {
                    codes[symbol] = (int)Reversed(next++, length);
                }
            }
        }

        return codes;
    }

    private static ulong Reversed(int code, int bits)
    {
        var reversed = 0UL;
        for (var bit = 0; bit < bits; bit++)
        {
            reversed |= (ulong)((code >> bit) & 1) << (bits - 1 - bit);
        }

        return reversed;
    }
}
