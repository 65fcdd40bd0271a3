using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Telemetry.Runtime;

/// <summary>
/// Chance from the operating system, drawn anew each time: nothing of it is kept in the process, so two restores of one
/// snapshot, or two processes begun in the same moment, never draw the same ids. Real processes use it wherever they
/// need chance; the simulation gives them a seeded <see cref="Random"/> in its place. Any thread may call it.
/// </summary>
public sealed class SystemRandom : Random
{
    private SystemRandom()
    {
    }

    /// <summary>The one there is.</summary>
    public static SystemRandom Instance { get; } = new();

    /// <inheritdoc/>
    public override int Next() => Next(int.MaxValue);

    /// <inheritdoc/>
    public override int Next(int maxValue) => Next(0, maxValue);

    /// <inheritdoc/>
    public override int Next(int minValue, int maxValue) => (int)NextInt64(minValue, maxValue);

    /// <inheritdoc/>
    public override long NextInt64() => NextInt64(long.MaxValue);

    /// <inheritdoc/>
    public override long NextInt64(long maxValue) => NextInt64(0, maxValue);

    /// <inheritdoc/>
    public override long NextInt64(long minValue, long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        var range = unchecked((ulong)(maxValue - minValue));
        if (range <= 1)
        {
            return minValue;
        }

        // What lies beyond the last whole multiple would make the first numbers likelier.
        var end = ulong.MaxValue - (ulong.MaxValue % range);
        ulong drawn;
        do
        {
            drawn = NextUInt64();
        }
        while (drawn >= end);
        return unchecked(minValue + (long)(drawn % range));
    }

    /// <inheritdoc/>
    public override double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <inheritdoc/>
    public override float NextSingle() => (NextUInt64() >> 40) * (1.0f / (1U << 24));

    /// <inheritdoc/>
    public override void NextBytes(byte[] buffer) => RandomNumberGenerator.Fill(buffer);

    /// <inheritdoc/>
    public override void NextBytes(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

    /// <inheritdoc/>
    protected override double Sample() => NextDouble();

    private static ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
