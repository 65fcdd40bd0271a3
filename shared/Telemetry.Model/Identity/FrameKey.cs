using System.Buffers.Binary;
using System.IO.Hashing;

namespace Telemetry.Model.Identity;

/// <summary>
/// Identifies a frame of one gateway: its epoch, its lane and the sequences that it covers. Sequences are 1, 2, 3 …
/// within (gateway, epoch, lane).
/// </summary>
public readonly record struct FrameKey(ulong Epoch, Lane Lane, long First, int Count)
{
    /// <summary>The last sequence that it covers.</summary>
    public long Last => First + Count - 1;

    /// <summary>The sequences that it covers.</summary>
    public SequenceRange Range => new(First, Last);

    /// <summary>
    /// The frame's share of the checksum of a settled range: XxHash64 over (first, count, checksum). Shares are added
    /// modulo 2^64, so that ranges can be merged in any order and a lost frame that arrives after all can add its share
    /// later.
    /// </summary>
    public ulong Share(ulong checksum)
    {
        Span<byte> bytes = stackalloc byte[20];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, First);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Count);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[12..], checksum);
        return XxHash64.HashToUInt64(bytes);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Epoch:x16}/{Lane.Name()}/{First}+{Count}";
}
