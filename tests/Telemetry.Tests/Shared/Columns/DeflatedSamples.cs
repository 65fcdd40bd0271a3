using System.IO.Compression;
using Telemetry.Testing.Readings;

namespace Telemetry.Tests.Shared.Columns;

/// <summary>Bytes of several kinds, and deflate streams of them or of chance, by a seed.</summary>
internal static class DeflatedSamples
{
    public const int Kinds = 4;

    private const int LengthMax = 15;

    /// <summary>Noise, few letters, skewed bytes (whose codes are long), or text that repeats from afar.</summary>
    public static byte[] Bytes(Random random, int kind, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
        {
            bytes[i] = kind switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)('a' + random.Next(random.Next(1, 20))),
                2 => (byte)Math.Min(255, -Math.Log(1 - random.NextDouble()) * 12),
                _ => i >= length / 2 && random.Next(40) > 0 ? bytes[i - (length / 2)] : (byte)random.Next(32, 127),
            };
        }

        return bytes;
    }

    /// <summary>
    /// A stream that a deflater made, or one of random blocks, and how many bytes may be wanted of it.
    /// </summary>
    public static (byte[] Stream, int Length) Next(Random random)
    {
        var length = random.Next(1, random.Next(4) == 0 ? 3000 : 300);
        if (random.Next(3) == 0)
        {
            return (RandomBlocks(random), 1 + (length / 8));
        }

        var bytes = Bytes(random, random.Next(Kinds), length);
        var flushEach = random.Next(2) == 0 ? 1 + random.Next(length) : length;
        return (FrameworkInflater.Deflate(bytes, (CompressionLevel)random.Next(4), flushEach), length);
    }

    /// <summary>
    /// A copy with a few bits turned over, more often near the beginning, where the codes' lengths stand.
    /// </summary>
    public static byte[] Flip(byte[] stream, Random random)
    {
        byte[] damaged = [.. stream];
        for (var left = random.Next(1, 4); left > 0; left--)
        {
            var within = random.Next(2) == 0 ? Math.Min(40, damaged.Length) : damaged.Length;
            damaged[random.Next(within)] ^= (byte)(1 << random.Next(8));
        }

        return damaged;
    }

    /// <summary>Blocks of random codes, mostly complete ones, and random bits behind them.</summary>
    private static byte[] RandomBlocks(Random random)
    {
        var stream = new HandMadeDeflate();
        for (var left = random.Next(1, 4); left > 0; left--)
        {
            int[] literals = new int[random.Next(257, 287)], distances = new int[random.Next(1, 31)];
            Place(random, literals, Complete(random, random.Next(1, 14)), HandMadeDeflate.EndOfBlock);
            Place(random, distances, Complete(random, random.Next(1, 5)), random.Next(distances.Length));
            stream.Dynamic(literals, distances, isLast: left == 1);
            for (var bytes = random.Next(60); bytes > 0; bytes--)
            {
                stream.Bits(random.Next(256) & random.Next(256), 8);
            }
        }

        return stream.ToBytes();
    }

    /// <summary>Lengths of so many codes that leave nothing over; of one code any.</summary>
    private static List<int> Complete(Random random, int codes)
    {
        List<int> lengths = [codes == 1 ? random.Next(3) : 0];
        while (lengths.Count < codes)
        {
            var split = random.Next(lengths.Count);
            if (lengths[split] < LengthMax)
            {
                lengths.Add(++lengths[split]);
            }
        }

        return lengths;
    }

    /// <summary>
    /// Gives one of the lengths to a symbol and the others to random ones, of which some may coincide.
    /// </summary>
    private static void Place(Random random, int[] symbols, List<int> lengths, int always)
    {
        foreach (var length in lengths.Skip(1))
        {
            symbols[random.Next(symbols.Length)] = length;
        }

        symbols[always] = lengths[0];
    }
}
