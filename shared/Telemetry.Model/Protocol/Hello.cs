using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Protocol;

/// <summary>Identifies a hello: the agent process' random number and a running number in that process.</summary>
public readonly record struct HelloId(uint Process, long Number)
{
    /// <summary>True when one process sent both, and this one later.</summary>
    public bool IsAfter(HelloId other) => Process == other.Process && Number > other.Number;
}

/// <summary>The agent's report of one lane of an open epoch.</summary>
/// <param name="LastSealed">The last sequence that it sealed.</param>
/// <param name="ListedTo"><paramref name="Held"/> is complete up to here: the edge no longer has the sequences that it
/// does not name.</param>
/// <param name="Held">
/// Ranges whose bytes are still in the outbox, ascending; at most <see cref="Hello.HeldMax"/>.
/// </param>
public sealed record HelloLane(long LastSealed, long ListedTo, SequenceRange[] Held)
{
    /// <summary>A lane in which nothing was sealed.</summary>
    public static readonly HelloLane Empty = new(0, 0, []);
}

/// <summary>The agent's report of one open epoch; <paramref name="Lanes"/> has an entry for each lane.</summary>
public sealed record HelloEpoch(ulong Epoch, Predecessor Predecessor, HelloLane[] Lanes)
{
    /// <summary>The last sequence of each lane.</summary>
    public LaneLasts Lasts => new(Lanes[0].LastSealed, Lanes[1].LastSealed, Lanes[2].LastSealed);
}

/// <summary>
/// The agent's report of its state. A full one asks for an answer; a short one carries only the promise and the
/// accepted total.
/// <code>
/// byte version (high 4 bits), bit 0 full, bit 1 promise, bit 2 complete epochs listed,
///      bit 3 the last epoch is the run's own, bit 4 frame version stated (full only)
/// u32 process, varint number; u64 outbox id, varint accepted total; 7 agent's clock; byte clock state
/// promise (bit 1), see <see cref="Frames.Promise"/>
/// full: varint epochs, each: u64 id, u64 predecessor and 3 varints, 3 lanes of (varint last, varint listed-to,
///       varint ranges, each varint gap from the range before, varint length)
///       varint schemas, each 16 bytes; varint complete epochs (bit 2), each u64 and 3 varints; text fork;
///       byte frame version (bit 4)
/// </code>
/// </summary>
public sealed record Hello
{
    /// <summary>The most held ranges named for one lane; the next hello continues after them.</summary>
    public const int HeldMax = 64;

    /// <summary>The most open epochs named.</summary>
    public const int EpochsMax = 64;

    /// <summary>The most complete epochs listed.</summary>
    public const int CompleteMax = 4096;

    /// <summary>The most schema ids named.</summary>
    public const int SchemasMax = 64;

    /// <summary>The most bytes of a hello.</summary>
    public const int BytesMax = 256 * 1024;

    private const byte FullBit = 1, PromiseBit = 2, CompleteBit = 4, OwnBit = 8, VersionBit = 16;

    /// <summary>The identity of this hello.</summary>
    public required HelloId Id { get; init; }

    /// <summary>True when it asks for an answer.</summary>
    public bool Full { get; init; }

    /// <summary>The outbox file's random id.</summary>
    public required ulong Outbox { get; init; }

    /// <summary>How many readings that outbox ever accepted; never decreases.</summary>
    public required long Accepted { get; init; }

    /// <summary>The last promise; null when there is none yet.</summary>
    public Promise? Promise { get; init; }

    /// <summary>The agent's clock when it was sent, microseconds since 1970 UTC.</summary>
    public long ClockMicros { get; init; }

    /// <summary>True when that clock is synchronised.</summary>
    public bool ClockSynchronised { get; init; }

    /// <summary>Every open epoch, oldest first, each once; empty in a short hello.</summary>
    public IReadOnlyList<HelloEpoch> Epochs { get; init; } = [];

    /// <summary>
    /// True when the last of <see cref="Epochs"/> is the running agent's own: it may grow, the others may not.
    /// </summary>
    public bool OwnIsLast { get; init; }

    /// <summary>The ids of the schemas that held frames need.</summary>
    public IReadOnlyList<SchemaId> Schemas { get; init; } = [];

    /// <summary>The epochs that the agent calls complete; null unless an answer's digest differed.</summary>
    public IReadOnlyList<EpochLasts>? Complete { get; init; }

    /// <summary>Why the agent believes that it is a fork; empty when it does not.</summary>
    public string Fork { get; init; } = "";

    /// <summary>
    /// The greatest frame version that the agent can seal, see <see cref="FrameHeader.VersionMax"/>; the answer tells
    /// which version it may use. Only a full hello carries it, and none when it is 0.
    /// </summary>
    public byte FrameVersion { get; init; }

    /// <summary>Writes it.</summary>
    public void Write(WireWriter writer)
    {
        writer.Byte((byte)((Full ? FullBit : 0)
            | (Promise is null ? 0 : PromiseBit)
            | (Complete is null ? 0 : CompleteBit)
            | (OwnIsLast ? OwnBit : 0)
            | (Full && FrameVersion > 0 ? VersionBit : 0)));
        writer.UInt32(Id.Process);
        writer.Varint(Id.Number);
        writer.UInt64(Outbox);
        writer.Varint(Accepted);
        writer.Time(ClockMicros);
        writer.Byte(ClockSynchronised ? (byte)1 : (byte)0);
        Promise?.Write(writer);
        if (!Full)
        {
            return;
        }

        writer.Varint((ulong)Epochs.Count);
        foreach (var epoch in Epochs)
        {
            writer.UInt64(epoch.Epoch);
            writer.UInt64(epoch.Predecessor.Epoch);
            EpochLists.Write(writer, epoch.Predecessor.Lasts);
            foreach (var lane in epoch.Lanes)
            {
                WriteLane(writer, lane);
            }
        }

        writer.Varint((ulong)Schemas.Count);
        foreach (var schema in Schemas)
        {
            schema.Write(writer);
        }

        if (Complete is not null)
        {
            EpochLists.Write(writer, Complete);
        }

        writer.Text(Fork);
        if (FrameVersion > 0)
        {
            writer.Byte(FrameVersion);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; throws <see cref="WireFormatException"/>.</summary>
    public static Hello Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var bits = reader.Byte();
        if (bits > (FullBit | PromiseBit | CompleteBit | OwnBit | VersionBit))
        {
            throw new WireFormatException($"not a hello of a known version (first byte 0x{bits:x2})", 0);
        }

        var hello = new Hello
        {
            Full = (bits & FullBit) != 0,
            OwnIsLast = (bits & OwnBit) != 0,
            Id = new HelloId(reader.UInt32(), reader.Varint(long.MaxValue)),
            Outbox = reader.UInt64(),
            Accepted = reader.Varint(long.MaxValue),
            ClockMicros = reader.Time(),
            ClockSynchronised = reader.Byte() == 1,
            Promise = (bits & PromiseBit) != 0 ? Frames.Promise.Read(ref reader) : null,
        };
        if (hello.Full)
        {
            hello = ReadFull(hello, ref reader, bits);
        }

        reader.End();
        return hello;
    }

    private static Hello ReadFull(Hello hello, ref WireReader reader, byte bits)
    {
        var epochs = new HelloEpoch[reader.Count(EpochsMax, 28)];
        for (var i = 0; i < epochs.Length; i++)
        {
            epochs[i] = new HelloEpoch(
                reader.UInt64(),
                new Predecessor(reader.UInt64(), Frames.Promise.ReadLasts(ref reader)),
                [ReadLane(ref reader), ReadLane(ref reader), ReadLane(ref reader)]);
        }

        if (epochs.DistinctBy(e => e.Epoch).Count() < epochs.Length)
        {
            throw new WireFormatException("an epoch is named twice", reader.Offset);
        }

        var schemas = new SchemaId[reader.Count(SchemasMax, SchemaId.Bytes)];
        for (var i = 0; i < schemas.Length; i++)
        {
            schemas[i] = SchemaId.Read(ref reader);
        }

        return hello with
        {
            Epochs = epochs,
            Schemas = schemas,
            Complete = (bits & CompleteBit) != 0 ? EpochLists.Read(ref reader, CompleteMax) : null,
            Fork = reader.Text(1024),
            FrameVersion = (bits & VersionBit) != 0 ? reader.Byte() : (byte)0,
        };
    }

    private static void WriteLane(WireWriter writer, HelloLane lane)
    {
        writer.Varint(lane.LastSealed);
        writer.Varint(lane.ListedTo);
        writer.Varint((ulong)lane.Held.Length);
        var at = 0L;
        foreach (var range in lane.Held)
        {
            writer.Varint(range.First - at);
            writer.Varint(range.Count);
            at = range.Last;
        }
    }

    private static HelloLane ReadLane(ref WireReader reader)
    {
        var last = reader.Varint(FrameHeader.SequenceMax);
        var listedTo = reader.Varint(last);
        var held = new SequenceRange[reader.Count(HeldMax, 2)];
        var at = 0L;
        for (var i = 0; i < held.Length; i++)
        {
            var first = at + reader.Varint(last - at);
            var count = reader.Varint(last - first + 1);
            if (first <= at || count == 0)
            {
                throw new WireFormatException("held ranges are not ascending", reader.Offset);
            }

            held[i] = new SequenceRange(first, at = first + count - 1);
        }

        return new HelloLane(last, listedTo, held);
    }
}
