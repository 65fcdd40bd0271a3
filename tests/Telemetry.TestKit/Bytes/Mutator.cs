using System.Buffers.Binary;
using System.IO.Hashing;

namespace Telemetry.TestKit.Bytes;

/// <summary>
/// Damages good bytes the way that faulty storage, hostile peers and off-by-one senders do, by a seed. What a parser
/// makes of the result is to be a value, "need more" or its protocol exception: nothing else, and in bounded time.
/// </summary>
public sealed class Mutator(Random random)
{
    private const int MutationsMax = 4;
    private const int RunBytesMax = 32;

    private static readonly long[] TellingLengths =
        [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];

    /// <summary>A damaged copy, at most 128 bytes longer. It may by chance equal the original.</summary>
    public byte[] Mutate(ReadOnlySpan<byte> original)
    {
        var bytes = new List<byte>(original.Length + MutationsMax * RunBytesMax);
        bytes.AddRange(original);
        for (var left = random.Next(1, MutationsMax + 1); left > 0; left--)
        {
            MutateOnce(bytes);
        }

        return [.. bytes];
    }

    /// <summary>
    /// A damaged copy of a frame behind whose damage the checksum is right again, as a hostile sender's would be.
    /// </summary>
    public byte[] MutateSealed(ReadOnlySpan<byte> frame)
    {
        var bytes = Mutate(frame[..^sizeof(ulong)]);
        Array.Resize(ref bytes, bytes.Length + sizeof(ulong));
        var body = bytes.AsSpan(0, bytes.Length - sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(body.Length), XxHash64.HashToUInt64(body));
        return bytes;
    }

    private void MutateOnce(List<byte> bytes)
    {
        if (bytes.Count == 0)
        {
            Insert(bytes);
            return;
        }

        switch (random.Next(8))
        {
            case 0:
                bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[random.Next(bytes.Count)] = (byte)random.Next(256);
                break;
            case 2:
                Insert(bytes);
                break;
            case 3:
                Delete(bytes);
                break;
            case 4:
                Duplicate(bytes);
                break;
            case 5:
                Truncate(bytes);
                break;
            case 6:
                EditFixedLength(bytes);
                break;
            default:
                EditVariableLength(bytes);
                break;
        }
    }

    private void Insert(List<byte> bytes)
    {
        var run = new byte[random.Next(1, RunBytesMax + 1)];
        random.NextBytes(run);
        bytes.InsertRange(random.Next(bytes.Count + 1), run);
    }

    private void Delete(List<byte> bytes)
    {
        var (at, count) = Run(bytes);
        bytes.RemoveRange(at, count);
    }

    private void Duplicate(List<byte> bytes)
    {
        var (at, count) = Run(bytes);
        bytes.InsertRange(at, bytes.GetRange(at, count));
    }

    private void Truncate(List<byte> bytes)
    {
        var length = random.Next(bytes.Count);
        bytes.RemoveRange(length, bytes.Count - length);
    }

    /// <summary>Writes a telling number where a length of 1, 2, 4 or 8 bytes may stand, in either byte order.</summary>
    private void EditFixedLength(List<byte> bytes)
    {
        var width = 1 << random.Next(4);
        if (bytes.Count < width)
        {
            return;
        }

        var at = random.Next(bytes.Count - width + 1);
        var left = bytes.Count - at - width;
        var length = random.Next(3) == 0
            ? left + random.Next(-2, 3)
            : TellingLengths[random.Next(TellingLengths.Length)] + random.Next(-1, 2);
        Span<byte> field = stackalloc byte[sizeof(long)];
        if (random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(field, length);
            field = field[..width];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(field, length);
            field = field[^width..];
        }

        for (var i = 0; i < width; i++)
        {
            bytes[at + i] = field[i];
        }
    }

    /// <summary>Makes a length of seven bits a byte longer than it may be, or ends it early.</summary>
    private void EditVariableLength(List<byte> bytes)
    {
        var (at, count) = Run(bytes);
        var continued = random.Next(2) == 0;
        for (var i = at; i < at + count; i++)
        {
            bytes[i] = (byte)(continued ? bytes[i] | 0x80 : bytes[i] & 0x7F);
        }
    }

    private (int At, int Count) Run(List<byte> bytes)
    {
        var at = random.Next(bytes.Count);
        return (at, random.Next(1, Math.Min(RunBytesMax, bytes.Count - at) + 1));
    }
}
