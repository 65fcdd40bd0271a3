using System.Numerics;
using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The next bits of a <see cref="BitReader"/>, looked at before they are taken: one word, so that several fields are
/// read without going back to the bytes. Nothing is checked here: what runs past the word or is no number reads
/// anything and makes <see cref="Used"/> more than a word, so that <see cref="BitReader.Holds"/> refuses it.
/// </summary>
internal struct BitWindow(ulong word)
{
    private const int Spoiled = 1024;

    private ulong _word = word;

    /// <summary>How many bits were looked at.</summary>
    public int Used { get; private set; }

    /// <summary>True, and passes them, when the next bits are these.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPass(ulong code, int bits)
    {
        var same = (_word & ((1UL << bits) - 1)) == code;
        if (same)
        {
            _word >>= bits;
            Used += bits;
        }

        return same;
    }

    /// <summary>True when it is refused in any case.</summary>
    public readonly bool IsSpoiled => Used >= Spoiled;

    /// <summary>Has it refused: what was read is not what it should be.</summary>
    public void Spoil() => Used = Spoiled;

    /// <summary>One bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Bit()
    {
        var bit = _word & 1;
        _word >>= 1;
        Used++;
        return bit != 0;
    }

    /// <summary>The next 0 to 63 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Read(int bits)
    {
        var value = _word & ((1UL << bits) - 1);
        _word >>= bits;
        Used += bits;
        return value;
    }

    /// <summary>See <see cref="BitWriter.Gamma"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Gamma()
    {
        var below = BitOperations.TrailingZeroCount(_word);
        var high = 1UL << below;
        var rest = _word >> below >> 1;
        _word = rest >> below;
        Used += (2 * below) + 1;
        return high | (rest & (high - 1));
    }

    /// <summary>
    /// See <see cref="BitWriter.Number"/>; <paramref name="length"/> is the context's, before and after.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Number(ref int length)
    {
        var near = length + ZigZag.Back(Gamma() - 1);
        if ((ulong)near > 64)
        {
            Spoil();
            return 0;
        }

        length = (int)near;
        if (length < 2)
        {
            return (ulong)length;
        }

        var below = length - 1;
        var high = 1UL << below;
        var value = high | (_word & (high - 1));
        _word >>= below;
        Used += below;
        return value;
    }
}
