using System.Numerics;
using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// Collects several fields of bits in one 64-bit word, so that a <see cref="BitWriter"/> writes them at once. Fields
/// beyond 64 bits are not kept: <see cref="Length"/> then shows it, and <see cref="BitWriter.TryWrite"/> returns false.
/// </summary>
internal struct BitCode
{
    /// <summary>The fields, the first one lowest.</summary>
    public ulong Bits { get; private set; }

    /// <summary>The number of bits, including those that were not kept.</summary>
    public int Length { get; private set; }

    /// <summary>Adds the low <paramref name="bits"/> (0 to 63) of a value, whose other bits must be 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(ulong value, int bits)
    {
        Bits |= value << Length;
        Length += bits;
    }

    /// <summary>Adds one bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bit(bool value) => Put(value ? 1UL : 0, 1);

    /// <summary>See <see cref="BitWriter.Gamma"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Gamma(ulong value)
    {
        var below = BitOperations.Log2(value);
        var high = 1UL << below;
        Put(high | ((value - high) << below << 1), (2 * below) + 1);
    }

    /// <summary>
    /// See <see cref="BitWriter.Number"/>. <paramref name="length"/> is the last value of the context; the length of
    /// this number replaces it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(ulong value, ref int length)
    {
        var now = 64 - BitOperations.LeadingZeroCount(value);
        Gamma(ZigZag.Of(now - length) + 1);
        length = now;
        if (now > 1)
        {
            Put(value - (1UL << (now - 1)), now - 1);
        }
    }
}
