using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Telemetry.Runtime;

/// <summary>
/// Chance from the operating system, drawn anew each time: nothing of it is kept in the process, so two restores of one
/// snapshot, or two processes begun in the same moment, never draw the same ids. Real processes use it wherever they
/// need chance; the simulation gives them a seeded <see cref="Random"/> in its place. Any thread may call it.
/// </summary>
/// <remarks>
/// Read from the kernel's device, which is always there on the systems that this runs on. The framework's own generator
/// would load OpenSSL, 4 MB of memory, into an agent that needs it for nothing else.
/// </remarks>
public sealed class SystemRandom : Random
{
    private static readonly SafeFileHandle Device = File.OpenHandle("/dev/urandom");

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
    public override void NextBytes(byte[] buffer) => Fill(buffer);

    /// <inheritdoc/>
    public override void NextBytes(Span<byte> buffer) => Fill(buffer);

    /// <inheritdoc/>
    protected override double Sample() => NextDouble();

    private static ulong NextUInt64()
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    // A short read is possible only for more than 256 bytes; an empty one never.
    private static void Fill(Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(Device, bytes, 0);
            if (read == 0)
            {
                throw new IOException("/dev/urandom gave no bytes: this system's device is not the kernel's.");
            }

            bytes = bytes[read..];
        }
    }
}
