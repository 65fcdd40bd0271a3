using static Telemetry.TestKit.Readings.HandMadeDeflate;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// A deflate stream (RFC 1951) that makes an inflater build tables for nothing: blocks of dynamic Huffman codes that
/// end as they begin. All 286 and 30 symbols have codes, whose lengths take few bits, as most repeat the one before;
/// then one text of one byte.
/// </summary>
internal static class DeflatedBlocks
{
    public const byte Text = (byte)'x';

    /// <summary>Lengths that make complete codes.</summary>
    private static readonly int[] Literals = [.. Enumerable.Repeat(8, 226), .. Enumerable.Repeat(9, 60)];

    private static readonly int[] Distances = [.. Enumerable.Repeat(4, 2), .. Enumerable.Repeat(5, 28)];

    /// <summary>A repeat is one bit and two more, any other length three bits.</summary>
    private static readonly int[] CodeLengths = Lengths(19, (Repeat, 1), (4, 3), (5, 3), (8, 3), (9, 3));

    /// <summary>The most of these blocks that fit into so many bytes, and the text behind them.</summary>
    public static byte[] OfBytes(int bytes)
    {
        const int lastBlockBytes = 4;
        var stream = new HandMadeDeflate();
        int before;
        do
        {
            before = stream.BitCount;
            stream.Dynamic(Literals, Distances, codeLengths: CodeLengths).Symbols(EndOfBlock);
        }
        while (stream.BitCount + (stream.BitCount - before) <= (bytes - lastBlockBytes) * 8);

        return stream.Fixed(isLast: true).Symbols(Text, EndOfBlock).ToBytes();
    }
}
