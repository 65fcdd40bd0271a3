using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// A Huffman code of RFC 1951, 3.2.2: a length for each symbol that has a code says it all. Made again and again in the
/// same arrays: a table over the first bits, and for codes that are longer the symbols in the order of their codes.
/// What a code costs to make grows with the symbols that have one, which bits of the stream state, and with the table's
/// entries, of which a long one takes many symbols; symbols without a code cost nothing.
/// <code>
/// entry of a symbol:   bits 0-7 the code's length, 8-11 extra bits behind it, 12-15 kind, 16-31 value
/// entry of a prefix:   kind <see cref="PrefixKind"/>; value: its rank among the prefixes of longer codes
/// </code>
/// </summary>
internal sealed class HuffmanCode(ReadOnlySpan<uint> meanings, int tableBitsMax)
{
    /// <summary>
    /// The symbol is a byte, a length or distance less its extra bits, the end of the block; or no code has such bits.
    /// </summary>
    public const uint ByteKind = 0 << 12, CopyKind = 1 << 12, EndKind = 2 << 12, NoKind = 3 << 12;

    public const uint KindMask = 15 << 12;
    public const int ValueShift = 16;

    private const uint PrefixKind = 4 << 12;
    private const int ExtraShift = 8, LengthMax = 15, ReversedBits = 9;

    private static readonly ushort[] Reversed = [.. Enumerable.Range(0, 1 << ReversedBits).Select(Reverse)];

    private readonly uint[] _meanings = meanings.ToArray();
    private readonly Run[] _runs = new Run[meanings.Length];
    private readonly uint[] _ordered = new uint[meanings.Length];
    private readonly uint[] _table = new uint[1 << tableBitsMax];
    private readonly int[] _counts = new int[LengthMax + 1];
    private int _runCount;
    private int _tableBits;
    private int _inTable;

    /// <summary>A symbol's entry, but for the length of its code.</summary>
    public static uint Meaning(uint kind, int value, int extraBits = 0) =>
        ((uint)value << ValueShift) | kind | ((uint)extraBits << ExtraShift);

    /// <summary>The length of an entry's code.</summary>
    public static int Length(uint entry) => (int)(entry & 0xff);

    /// <summary>How many bits behind its code belong to an entry.</summary>
    public static int ExtraBits(uint entry) => (int)(entry >> ExtraShift) & 15;

    /// <summary>Forgets all symbols.</summary>
    public void Clear()
    {
        _runCount = 0;
        _counts.AsSpan().Clear();
    }

    /// <summary>States that the next symbols that have a code have it of this length, 1 to 15.</summary>
    public void Add(int symbol, int count, int length)
    {
        _runs[_runCount++] = new Run(symbol, count, length);
        _counts[length] += count;
    }

    /// <summary>
    /// Makes the code. False where two symbols would have one code, or where bits are left over that are no code: those
    /// of one symbol with one bit may be, where <paramref name="mayLackOne"/>, and those of none.
    /// </summary>
    public bool TryMake(bool mayLackOne)
    {
        Span<int> places = stackalloc int[LengthMax + 1];
        int longest = 0, before = 0, free = 1;
        for (var length = 1; length <= LengthMax; length++)
        {
            var count = _counts[length];
            free = (2 * free) - count;
            if (free < 0)
            {
                return false;
            }

            places[length] = before;
            before += count;
            longest = count > 0 ? length : longest;
        }

        if (free > 0 && longest > (mayLackOne ? 1 : 0))
        {
            return false;
        }

        foreach (var run in _runs.AsSpan(0, _runCount))
        {
            var symbol = run.Symbol;
            foreach (ref var entry in _ordered.AsSpan(places[run.Length], run.Count))
            {
                entry = _meanings[symbol++] | (uint)run.Length;
            }

            places[run.Length] += run.Count;
        }

        _tableBits = Math.Clamp(longest, 1, tableBitsMax);
        FillTable(isLacking: free > 0);
        return true;
    }

    /// <summary>The entry that these bits begin with; those behind it may be anything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Find(ulong bits)
    {
        var entry = _table[(int)bits & ((1 << _tableBits) - 1)];
        return (entry & PrefixKind) == 0 ? entry : FindLong(entry, bits);
    }

    /// <summary>
    /// The first codes of each length are those of symbols, the others are prefixes of longer ones. So a prefix's rank
    /// among its like, doubled, with the next bit, is a rank among the next length's codes.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private uint FindLong(uint prefix, ulong bits)
    {
        var rank = (int)(prefix >> ValueShift);
        var before = _inTable;
        for (var length = _tableBits + 1; ; length++)
        {
            rank = (2 * rank) + (int)((bits >> (length - 1)) & 1);
            var count = _counts[length];
            if (rank < count)
            {
                return _ordered[before + rank];
            }

            rank -= count;
            before += count;
        }
    }

    /// <summary>
    /// A code's first bit is its highest and stands lowest in the stream, so the table is over codes from right to
    /// left. A table over one bit more begins as the shorter one twice.
    /// </summary>
    private void FillTable(bool isLacking)
    {
        var table = _table.AsSpan(0, 1 << _tableBits);
        if (isLacking)
        {
            table.Fill(NoKind | 1);
        }

        int code = 0, symbol = 0;
        for (var length = 1; ; length++)
        {
            foreach (var entry in _ordered.AsSpan(symbol, _counts[length]))
            {
                table[Reversed[code++ << (ReversedBits - length)]] = entry;
            }

            symbol += _counts[length];
            if (length == _tableBits)
            {
                break;
            }

            if (symbol > 0)
            {
                table[..(1 << length)].CopyTo(table[(1 << length)..]);
            }

            code *= 2;
        }

        _inTable = symbol;
        for (var rank = 0u; !isLacking && code < table.Length; rank++)
        {
            table[Reversed[code++ << (ReversedBits - _tableBits)]] = PrefixKind | (rank << ValueShift);
        }
    }

    private static ushort Reverse(int bits)
    {
        var reversed = 0;
        for (var bit = 0; bit < ReversedBits; bit++)
        {
            reversed |= ((bits >> bit) & 1) << (ReversedBits - 1 - bit);
        }

        return (ushort)reversed;
    }

    /// <summary>Symbols behind one another whose codes have one length.</summary>
    private readonly record struct Run(int Symbol, int Count, int Length);
}
