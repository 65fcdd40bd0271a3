using System.Runtime.CompilerServices;
using static Telemetry.Model.Frames.Columns.DeflateAlphabets;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Inflates a deflate stream (RFC 1951) whose texts' length is known. It keeps its tables, so that a warm one allocates
/// nothing, and checks each length and distance before it uses it. Each step takes bits of the stream or makes a byte
/// of what is wanted, so that both bound its time. It refuses what zlib refuses; docs/frame-format.md says what that
/// is. One thread at a time.
/// <code>
/// each block, until one is the last:
/// 1 bit   1: the last block
/// 2 bits  0 stored, 1 fixed codes, 2 dynamic codes
/// stored: zeros or ones to the end of the byte, length as 16 bits, the same inverted, so many bytes
/// dynamic: 5 bits literals and lengths less 257, 5 bits distances less 1, 4 bits lengths of the code of lengths less
///          4; these, 3 bits each; then with that code the lengths of all codes
/// codes:  a byte; or a length and then a distance: so many bytes from so far back; or the end of the block
/// </code>
/// </summary>
internal sealed class Inflater
{
    private const int LiteralsMax = 286, DistancesMax = 30;

    private readonly HuffmanCode _literals = LiteralCode();
    private readonly HuffmanCode _distances = DistanceCode();
    private readonly HuffmanCode _lengths = LengthCode();

    private enum Step
    {
        /// <summary>The block ended.</summary>
        Ended,

        /// <summary>The stream is cut off; the bytes may be all there for all that.</summary>
        CutOff,

        /// <summary>No deflate stream, or one of more bytes than are wanted.</summary>
        Refused,
    }

    /// <summary>
    /// Inflates to exactly the length of <paramref name="into"/>; false where that cannot be. What is behind the last
    /// block, or that it is not there, does not matter.
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
    /// Reads the two codes of a block. In the code of lengths without any symbol each bit is a length 0, as zlib has
    /// it: what comes of that is refused for want of an end of block, unless the stream is cut off before.
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
}
