using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Telemetry.Model.Frames.Columns;

/// <summary>
/// The bits of a deflate stream, the least significant of each byte first. Unlike <see cref="BitReader"/>'s they may
/// end anywhere, and whoever takes some asks first whether they are there.
/// </summary>
internal ref struct DeflatedBits(ReadOnlySpan<byte> bytes)
{
    /// <summary>At least so many bits are at hand while there are so many.</summary>
    private const int AtHandMin = 56;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private ulong _atHand;
    private int _count;
    private int _next;

    /// <summary>The bits at hand, which are not taken; above them may stand anything.</summary>
    public readonly ulong Ahead => _atHand;

    /// <summary>True when so many bits, at most 56, are left; then they are at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(int bits)
    {
        if (_count < bits)
        {
            Refill();
        }

        return bits <= _count;
    }

    /// <summary>True when so many bits are at hand.</summary>
    public readonly bool Holds(int bits) => bits <= _count;

    /// <summary>Takes bits that are at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Take(int bits)
    {
        var value = (int)(_atHand & ((1UL << bits) - 1));
        _atHand >>= bits;
        _count -= bits;
        return value;
    }

    /// <summary>Gets as many bits at hand as there are, or 56.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill()
    {
        if (_bytes.Length - _next >= sizeof(ulong))
        {
            // What of the word is above the count comes again, and alike, at the next time.
            _atHand |= BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_next..]) << _count;
            _next += (63 - _count) >> 3;
            _count |= AtHandMin;
            return;
        }

        for (; _count <= AtHandMin && _next < _bytes.Length; _count += 8)
        {
            _atHand |= (ulong)_bytes[_next++] << _count;
        }
    }

    /// <summary>Goes on to the next whole byte.</summary>
    public void ToByte() => Take(_count & 7);

    /// <summary>Takes as many of the next whole bytes as there are, at most so many. It must stand at one.</summary>
    public ReadOnlySpan<byte> TakeBytes(int most)
    {
        _next -= _count >> 3;
        _atHand = 0;
        _count = 0;
        var taken = _bytes.Slice(_next, Math.Min(most, _bytes.Length - _next));
        _next += taken.Length;
        return taken;
    }
}
