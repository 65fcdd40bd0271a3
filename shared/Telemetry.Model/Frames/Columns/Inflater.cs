using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Inflates a deflate stream (RFC 1951) whose texts' length is known. It keeps its tables, so that a warm one allocates
/// nothing, and checks each length and distance before it uses it. Each step takes bits of the stream or makes a byte of
/// what is wanted, so that both bound its time. It refuses what zlib refuses; docs/frame-format.md says what that is.
/// One thread at a time.
/// <code>
/// each block, until one is the last:
/// 1 bit   1: the last block
/// 2 bits  0 stored, 1 fixed codes, 2 dynamic codes
/// stored: zeros or ones to the end of the byte, length as 16 bits, the same inverted, so many bytes
/// dynamic: 5 bits literals and lengths less 257, 5 bits distances less 1, 4 bits lengths of the code of lengths less 4;
///          these, 3 bits each; then with that code the lengths of all codes
/// codes:  a byte; or a length and then a distance: so many bytes from so far back; or the end of the block
/// </code>
/// </summary>
internal sealed class Inflater
{
    private const int EndOfBlock = 256, LiteralsMax = 286, DistancesMax = 30;
    private const int LiteralTableBits = 9, DistanceTableBits = 8, LengthTableBits = 7;
    private const int Repeat = 16, ShortZeros = 17, LongZeros = 18;

    private static readonly uint[] LiteralMeanings = MakeLiteralMeanings();
    private static readonly uint[] DistanceMeanings = MakeDistanceMeanings();
    private static readonly HuffmanCode FixedLiterals = MakeFixedLiterals();
    private static readonly HuffmanCode FixedDistances = MakeFixedDistances();

    private readonly HuffmanCode _literals = new(LiteralMeanings, LiteralTableBits);
    private readonly HuffmanCode _distances = new(DistanceMeanings, DistanceTableBits);
    private readonly HuffmanCode _lengths = new(MakeLengthMeanings(), LengthTableBits);

    private enum Step
    {
        /// <summary>The block ended.</summary>
        Ended,

        /// <summary>The stream is cut off; the bytes may be all there for all that.</summary>
        CutOff,

        /// <summary>No deflate stream, or one of more bytes than are wanted.</summary>
        Refused,
    }

    /// <summary>In which order a block gives the lengths of the codes of lengths.</summary>
    private static ReadOnlySpan<byte> LengthsOrder => [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>
    /// Inflates to exactly the length of <paramref name="into"/>; false where that cannot be. What is behind the last block,
    /// or that it is not there, does not matter.
    /// </summary>
    public bool TryInflate(ReadOnlySpan<byte> deflated, Span<byte> into)
    {
        var bits = new DeflatedBits(deflated);
        var made = 0;
        while (bits.Has(3))
        {
            var isLast = bits.Take(1) == 1;
            var step = bits.Take(2) switch
            {
                0 => Stored(ref bits, into, ref made),
                1 => Coded(ref bits, into, ref made, FixedLiterals, FixedDistances),
                2 => Dynamic(ref bits, into, ref made),
                _ => Step.Refused,
            };
            if (step == Step.Refused)
            {
                return false;
            }

            if (isLast || step == Step.CutOff)
            {
                break;
            }
        }

        return made == into.Length;
    }

    private static Step Stored(ref DeflatedBits bits, Span<byte> into, ref int made)
    {
        bits.ToByte();
        if (!bits.Has(32))
        {
            return Step.CutOff;
        }

        var length = bits.Take(16);
        if (bits.Take(16) != (length ^ 0xffff))
        {
            return Step.Refused;
        }

        var stored = bits.TakeBytes(length);
        if (stored.Length > into.Length - made)
        {
            return Step.Refused;
        }

        stored.CopyTo(into[made..]);
        made += stored.Length;
        return stored.Length == length ? Step.Ended : Step.CutOff;
    }

    private Step Dynamic(ref DeflatedBits bits, Span<byte> into, ref int made)
    {
        if (!bits.Has(14))
        {
            return Step.CutOff;
        }

        var literals = bits.Take(5) + 257;
        var distances = bits.Take(5) + 1;
        var lengths = bits.Take(4) + 4;
        if (literals > LiteralsMax || distances > DistancesMax)
        {
            return Step.Refused;
        }

        var step = Lengths(ref bits, lengths);
        if (step == Step.Ended)
        {
            step = Codes(ref bits, literals, distances);
        }

        return step == Step.Ended ? Coded(ref bits, into, ref made, _literals, _distances) : step;
    }

    /// <summary>Reads the code of the codes' lengths.</summary>
    private Step Lengths(ref DeflatedBits bits, int count)
    {
        Span<byte> lengths = stackalloc byte[LengthsOrder.Length];
        foreach (var symbol in LengthsOrder[..count])
        {
            if (!bits.Has(3))
            {
                return Step.CutOff;
            }

            lengths[symbol] = (byte)bits.Take(3);
        }

        _lengths.Clear();
        for (var symbol = 0; symbol < lengths.Length; symbol++)
        {
            if (lengths[symbol] > 0)
            {
                _lengths.Add(symbol, 1, lengths[symbol]);
            }
        }

        return _lengths.TryMake(mayLackOne: false) ? Step.Ended : Step.Refused;
    }

    /// <summary>
    /// Reads the two codes of a block. In the code of lengths without any symbol each bit is a length 0, as zlib has it: what
    /// comes of that is refused for want of an end of block, unless the stream is cut off before.
    /// </summary>
    private Step Codes(ref DeflatedBits stream, int literals, int distances)
    {
        var bits = stream;
        _literals.Clear();
        _distances.Clear();
        var length = 0;
        var endLength = 0;
        for (var symbol = 0; symbol < literals + distances;)
        {
            bits.Refill();
            var entry = _lengths.Find(bits.Ahead);
            var extra = HuffmanCode.ExtraBits(entry);
            if (!bits.Holds(HuffmanCode.Length(entry) + extra))
            {
                return Step.CutOff;
            }

            bits.Take(HuffmanCode.Length(entry));
            var stated = (int)(entry >> HuffmanCode.ValueShift);
            if (stated == Repeat && symbol == 0)
            {
                return Step.Refused;
            }

            var end = symbol + bits.Take(extra) + (stated switch { < Repeat => 1, LongZeros => 11, _ => 3 });
            if (end > literals + distances)
            {
                return Step.Refused;
            }

            length = stated < Repeat ? stated : stated == Repeat ? length : 0;
            if (symbol <= EndOfBlock && EndOfBlock < end)
            {
                endLength = length;
            }

            if (length > 0 && symbol < literals)
            {
                _literals.Add(symbol, Math.Min(end, literals) - symbol, length);
            }

            if (length > 0 && end > literals)
            {
                var first = Math.Max(symbol, literals);
                _distances.Add(first - literals, end - first, length);
            }

            symbol = end;
        }

        stream = bits;
        return endLength > 0 && _literals.TryMake(mayLackOne: true) && _distances.TryMake(mayLackOne: true)
            ? Step.Ended : Step.Refused;
    }

    private static Step Coded(
        ref DeflatedBits stream, Span<byte> into, ref int madeBefore, HuffmanCode literals, HuffmanCode distances)
    {
        var bits = stream;
        var made = madeBefore;
        Step step;
        while (true)
        {
            // A length, a distance and their extra bits are 48 bits at most.
            bits.Refill();
            var entry = literals.Find(bits.Ahead);
            if (!bits.Holds(HuffmanCode.Length(entry)))
            {
                step = Step.CutOff;
                break;
            }

            bits.Take(HuffmanCode.Length(entry));
            var kind = entry & HuffmanCode.KindMask;
            if (kind == HuffmanCode.ByteKind)
            {
                if (made == into.Length)
                {
                    step = Step.Refused;
                    break;
                }

                into[made++] = (byte)(entry >> HuffmanCode.ValueShift);
                continue;
            }

            if (kind != HuffmanCode.CopyKind)
            {
                step = kind == HuffmanCode.EndKind ? Step.Ended : Step.Refused;
                break;
            }

            step = Copied(ref bits, entry, into, ref made, distances);
            if (step != Step.Ended)
            {
                break;
            }
        }

        stream = bits;
        madeBefore = made;
        return step;
    }

    /// <summary>What is behind a length: a distance; and copies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Step Copied(
        ref DeflatedBits bits, uint entry, Span<byte> into, ref int made, HuffmanCode distances)
    {
        if (!bits.Holds(HuffmanCode.ExtraBits(entry)))
        {
            return Step.CutOff;
        }

        var length = (int)(entry >> HuffmanCode.ValueShift) + bits.Take(HuffmanCode.ExtraBits(entry));
        entry = distances.Find(bits.Ahead);
        if (!bits.Holds(HuffmanCode.Length(entry)))
        {
            return Step.CutOff;
        }

        bits.Take(HuffmanCode.Length(entry));
        if ((entry & HuffmanCode.KindMask) != HuffmanCode.CopyKind)
        {
            return Step.Refused;
        }

        if (!bits.Holds(HuffmanCode.ExtraBits(entry)))
        {
            return Step.CutOff;
        }

        var distance = (int)(entry >> HuffmanCode.ValueShift) + bits.Take(HuffmanCode.ExtraBits(entry));
        if (distance > made || length > into.Length - made)
        {
            return Step.Refused;
        }

        // What is copied may be copied again: it repeats.
        for (var from = made - distance; length > 0;)
        {
            var some = Math.Min(length, made - from);
            into.Slice(from, some).CopyTo(into[made..]);
            made += some;
            length -= some;
        }

        return Step.Ended;
    }

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
        const int symbols = 32;
        var meanings = new uint[symbols];

        // Distances from 1 on: four without extra bits, then two each with one more.
        var distance = 1;
        for (var symbol = 0; symbol < DistancesMax; symbol++)
        {
            var extraBits = Math.Max(0, (symbol / 2) - 1);
            meanings[symbol] = HuffmanCode.Meaning(HuffmanCode.CopyKind, distance, extraBits);
            distance += 1 << extraBits;
        }

        meanings.AsSpan(DistancesMax).Fill(HuffmanCode.Meaning(HuffmanCode.NoKind, 0));
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

    private static HuffmanCode MakeFixedLiterals()
    {
        var code = new HuffmanCode(LiteralMeanings, LiteralTableBits);
        code.Add(0, 144, 8);
        code.Add(144, 112, 9);
        code.Add(256, 24, 7);
        code.Add(280, 8, 8);
        code.TryMake(mayLackOne: false);
        return code;
    }

    private static HuffmanCode MakeFixedDistances()
    {
        var code = new HuffmanCode(DistanceMeanings, DistanceTableBits);
        code.Add(0, DistanceMeanings.Length, 5);
        code.TryMake(mayLackOne: false);
        return code;
    }
}
