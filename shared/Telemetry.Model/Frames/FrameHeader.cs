using System.Buffers.Binary;
using System.IO.Hashing;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Frames;

/// <summary>The epoch before an epoch, and its last sealed sequences; id 0 when there was none.</summary>
public readonly record struct Predecessor(ulong Epoch, LaneLasts Lasts)
{
    /// <summary>
    /// The id that means "unknown" (a complete epoch of an earlier outbox, taken over from the cloud).
    /// </summary>
    public const ulong Unknown = ulong.MaxValue;
}

/// <summary>
/// The fields of a frame before its readings. At most 64 bytes, checksum included, with one open epoch.
/// <code>
/// byte    version (high 4 bits), kind (low 4 bits)
/// byte    bits 0-1 lane, 2 dropped inside, 3 predecessor, 4 promise, 5 promise names other epochs, 6 promise has a
///         digest
/// u64     epoch
/// varint  first sequence
/// varint  count: sequences covered
/// varint  dropped: how many of them are declared dropped        (bit 2; a tombstone lacks it: all are dropped)
/// 16      schema id
/// u64, 3 varints   predecessor, its last sequences              (bit 3: a lane's first frame in the epoch)
/// 7, 2 varints     W; the epoch's last sequences of the other two lanes (its own lane's is the frame's last)   (bit 4)
/// varint, each u64 and 3 varints   other open epochs            (bit 5)
/// u64     digest of complete epochs, 0 when absent              (bit 6)
/// ...     payload, see <see cref="FrameReader"/>
/// u64     checksum: XxHash64 of all bytes before it
/// </code>
/// </summary>
public readonly record struct FrameHeader
{
    /// <summary>The greatest version that is read and written: 0 with plain columns, 1 with compact ones.</summary>
    public const byte VersionMax = 1;

    /// <summary>The most sequences that one frame covers.</summary>
    public const int CountMax = 8192;

    /// <summary>
    /// The greatest sequence: far more than any run can seal, so that sums of sequences never overflow.
    /// </summary>
    public const long SequenceMax = 1L << 60;

    /// <summary>The most bytes of one frame, header and checksum included.</summary>
    public const int BytesMax = 64 * 1024;

    /// <summary>The bytes of the checksum at a frame's end.</summary>
    public const int ChecksumBytes = 8;

    /// <summary>The offset of the first sequence and the count: after kind, bits and epoch.</summary>
    internal const int SequencesOffset = 1 + 1 + 8;

    private const byte DroppedBit = 4, PredecessorBit = 8, PromiseBit = 16, OthersBit = 32, DigestBit = 64;

    /// <summary>How its columns are encoded; the header is the same in every version.</summary>
    public byte Version { get; init; }

    /// <summary>Readings or tombstone.</summary>
    public FrameKind Kind { get; init; }

    /// <summary>Epoch, lane, first sequence, count.</summary>
    public FrameKey Key { get; init; }

    /// <summary>How many of the covered sequences are dropped; all of them in a tombstone.</summary>
    public int Dropped { get; init; }

    /// <summary>The schema of its series indexes.</summary>
    public SchemaId Schema { get; init; }

    /// <summary>Present in each lane's first frame of an epoch.</summary>
    public Predecessor? Predecessor { get; init; }

    /// <summary>
    /// Present in live frames. Its first epoch is the frame's own; that epoch's last sequence of the frame's lane is
    /// the frame's own last sequence.
    /// </summary>
    public Promise? Promise { get; init; }

    /// <summary>The number of readings in the frame.</summary>
    public int Present => Key.Count - Dropped;

    /// <summary>Writes the header.</summary>
    public void Write(WireWriter writer)
    {
        var withDropped = Dropped > 0 && Kind == FrameKind.Readings;
        var others = Promise is { Epochs.Length: > 1 };
        var digest = Promise is { Digest: not 0 };
        writer.Byte((byte)(Version << 4 | (byte)Kind));
        writer.Byte((byte)((byte)Key.Lane
            | (withDropped ? DroppedBit : 0)
            | (Predecessor is null ? 0 : PredecessorBit)
            | (Promise is null ? 0 : PromiseBit)
            | (others ? OthersBit : 0)
            | (digest ? DigestBit : 0)));
        writer.UInt64(Key.Epoch);
        writer.Varint(Key.First);
        writer.Varint((ulong)Key.Count);
        if (withDropped)
        {
            writer.Varint((ulong)Dropped);
        }

        Schema.Write(writer);
        if (Predecessor is { } predecessor)
        {
            writer.UInt64(predecessor.Epoch);
            WriteLasts(writer, predecessor.Lasts);
        }

        if (Promise is not null)
        {
            WritePromise(writer, Promise, others, digest);
        }
    }

    /// <summary>Reads a header; the reader is then at the payload. Throws <see cref="WireFormatException"/>.</summary>
    public static FrameHeader Read(ref WireReader reader)
    {
        var first = reader.Byte();
        var kind = (FrameKind)(first & 15);
        if (first >> 4 > VersionMax || kind > FrameKind.Tombstone)
        {
            throw new WireFormatException($"not a frame of a known version (first byte 0x{first:x2})", 0);
        }

        var bits = reader.Byte();
        var lane = (Lane)(bits & 3);
        if ((byte)lane >= Lanes.Count || bits >= 128 || !AgreeWith(kind, bits))
        {
            throw new WireFormatException($"bits 0x{bits:x2} of a frame of kind {(byte)kind}", 1);
        }

        var epoch = reader.UInt64();
        var key = new FrameKey(epoch, lane, reader.Varint(SequenceMax), (int)reader.Varint((long)CountMax));
        var dropped = (bits & DroppedBit) != 0 ? (int)reader.Varint((long)key.Count) : 0;
        if (key.First == 0 || key.Count == 0 || epoch == 0 || key.Last > SequenceMax)
        {
            throw new WireFormatException(
                $"{key}: epoch and sequences start at 1 and end at {SequenceMax}", reader.Offset);
        }

        if (dropped == 0 && (bits & DroppedBit) != 0)
        {
            throw new WireFormatException("0 dropped readings in a frame with the bit for dropped ones", reader.Offset);
        }

        var schema = SchemaId.Read(ref reader);
        Predecessor? predecessor = (bits & PredecessorBit) != 0
            ? new Predecessor(reader.UInt64(), Frames.Promise.ReadLasts(ref reader))
            : null;
        return new FrameHeader
        {
            Version = (byte)(first >> 4),
            Kind = kind,
            Key = key,
            Dropped = kind == FrameKind.Tombstone ? key.Count : dropped,
            Schema = schema,
            Predecessor = predecessor,
            Promise = (bits & PromiseBit) != 0 ? ReadPromise(ref reader, key, bits) : null,
        };
    }

    /// <summary>True when the second byte of a frame marks some of the covered sequences as dropped.</summary>
    internal static bool HasDropped(byte bits) => (bits & DroppedBit) != 0;

    /// <summary>
    /// The checksum at the end of a frame's bytes; throws <see cref="WireFormatException"/> when it is wrong.
    /// </summary>
    public static ulong Checksum(ReadOnlySpan<byte> frame)
    {
        if (frame.Length is <= ChecksumBytes or > BytesMax)
        {
            throw new WireFormatException($"a frame of {frame.Length} bytes, at most {BytesMax} are allowed", 0);
        }

        var stated = BinaryPrimitives.ReadUInt64LittleEndian(frame[^ChecksumBytes..]);
        return stated == XxHash64.HashToUInt64(frame[..^ChecksumBytes])
            ? stated
            : throw new WireFormatException("checksum differs", frame.Length - ChecksumBytes);
    }

    private void WritePromise(WireWriter writer, Promise promise, bool others, bool digest)
    {
        if (promise.Epochs.Length is 0 or > Promise.EpochsMax
            || promise.Epochs[0].Epoch != Key.Epoch || promise.Epochs[0].Lasts[Key.Lane] != Key.Last)
        {
            throw new ArgumentException("a frame's promise names the frame's epoch first, up to the frame itself");
        }

        writer.Time(promise.W);
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            if (lane != Key.Lane)
            {
                writer.Varint(promise.Epochs[0].Lasts[lane]);
            }
        }

        if (others)
        {
            writer.Varint((ulong)(promise.Epochs.Length - 1));
            foreach (var epoch in promise.Epochs.AsSpan(1))
            {
                writer.UInt64(epoch.Epoch);
                WriteLasts(writer, epoch.Lasts);
            }
        }

        if (digest)
        {
            writer.UInt64(promise.Digest);
        }
    }

    private static Promise ReadPromise(ref WireReader reader, FrameKey key, byte bits)
    {
        var w = reader.Time();
        var lasts = new LaneLasts().With(key.Lane, key.Last);
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            if (lane != key.Lane)
            {
                lasts = lasts.With(lane, reader.Varint(SequenceMax));
            }
        }

        var others = (bits & OthersBit) != 0 ? reader.Count(Promise.EpochsMax - 1, 11) : 0;
        if (others == 0 && (bits & OthersBit) != 0)
        {
            throw new WireFormatException("0 other epochs in a promise with the bit for others", reader.Offset);
        }

        var epochs = new EpochLasts[1 + others];
        epochs[0] = new EpochLasts(key.Epoch, lasts);
        for (var i = 1; i < epochs.Length; i++)
        {
            epochs[i] = new EpochLasts(reader.UInt64(), Promise.ReadLasts(ref reader));
        }

        var digest = (bits & DigestBit) != 0 ? reader.UInt64() : 0;
        return digest != 0 || (bits & DigestBit) == 0
            ? new Promise(w, epochs, digest)
            : throw new WireFormatException("digest 0 in a promise with the bit for a digest", reader.Offset);
    }

    /// <summary>
    /// A tombstone has no sequences marked as dropped, and the fields of a promise require a promise.
    /// </summary>
    private static bool AgreeWith(FrameKind kind, byte bits) =>
        (kind == FrameKind.Readings || (bits & DroppedBit) == 0)
        && ((bits & PromiseBit) != 0 || (bits & (OthersBit | DigestBit)) == 0);

    private static void WriteLasts(WireWriter writer, LaneLasts lasts)
    {
        writer.Varint(lasts.Critical);
        writer.Varint(lasts.Live);
        writer.Varint(lasts.Backlog);
    }
}
