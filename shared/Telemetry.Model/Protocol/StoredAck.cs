using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Protocol;

/// <summary>The state of a run of sequences beyond the settled prefix.</summary>
public enum RunState : byte
{
    /// <summary>Stored, rejected or dropped: final.</summary>
    Settled = 0,

    /// <summary>Nobody has it any more. If its bytes arrive after all, they are stored.</summary>
    Lost = 1,
}

/// <summary>
/// A run of settled sequences beyond the prefix, with the sum of its frames' shares (<see cref="FrameKey.Share"/>).
/// </summary>
public readonly record struct SettledRun(SequenceRange Range, RunState State, ulong Share);

/// <summary>What the cloud reports about one lane of an epoch.</summary>
/// <param name="Prefix">Every sequence up to here is stored, rejected or dropped; it never covers a lost one.</param>
/// <param name="PrefixShare">The sum of the shares of the frames in the prefix: the agent frees frames only if their
/// shares have the same sum.</param>
/// <param name="Announced">The greatest sequence that was ever announced to the cloud.</param>
/// <param name="Runs">
/// Runs beyond the prefix, ascending; at most <see cref="StoredAck.RunsMax"/>, from the first held one on.
/// </param>
public sealed record LaneSettlement(long Prefix, ulong PrefixShare, long Announced, SettledRun[] Runs)
{
    /// <summary>A lane that is unknown to the cloud.</summary>
    public static readonly LaneSettlement Empty = new(0, 0, 0, []);
}

/// <summary>What the cloud reports about one epoch; <paramref name="Lanes"/> has an entry for each lane.</summary>
public sealed record EpochSettlement(ulong Epoch, bool Complete, LaneSettlement[] Lanes);

/// <summary>The owner's position in a stream, and the stream's end, which only an answer has (0 otherwise).</summary>
public readonly record struct StreamProgress(long Position, long End);

/// <summary>
/// The cloud's confirmation that the transaction which settled frames has committed; cumulative. As the answer to a
/// hello it also carries the streams' ends, the announced sequences, and the known schemas.
/// <code>
/// byte version (high 4 bits), kind 1 (low 4 bits); byte bit 0 answer, bit 1 fork, bit 2 frame version stated
/// u64 token; (answer) u32 process, varint number of the hello; 7 server time; u64 digest of complete epochs
/// 2 streams of (varint position, varint end)
/// varint epochs, each: u64 id, byte complete, 3 lanes of (varint prefix, u64 share, varint announced,
///        varint runs, each varint gap, varint length, byte state, u64 share)
/// varint known schemas, each 16 bytes; byte frame version (bit 2)
/// </code>
/// </summary>
public sealed record StoredAck
{
    /// <summary>The most runs named for one lane.</summary>
    public const int RunsMax = 64;

    /// <summary>The most bytes of one message.</summary>
    public const int BytesMax = 512 * 1024;

    private const byte AnswerBit = 1, ForkBit = 2, VersionBit = 4;

    /// <summary>The owner's token: random, made each time the lease is taken.</summary>
    public required ulong Token { get; init; }

    /// <summary>The hello that it answers; null for a stored-ack.</summary>
    public HelloId? InAnswerTo { get; init; }

    /// <summary>The owner's clock, microseconds since 1970 UTC.</summary>
    public long ServerTimeMicros { get; init; }

    /// <summary>The digest of the epochs that the ledger calls complete.</summary>
    public ulong Digest { get; init; }

    /// <summary>The owner's position in LIVE.</summary>
    public StreamProgress Live { get; init; }

    /// <summary>The owner's position in BACKLOG.</summary>
    public StreamProgress Backlog { get; init; }

    /// <summary>True when a fork was found: the agent starts a new epoch.</summary>
    public bool Fork { get; init; }

    /// <summary>
    /// The frame version that the agent may seal: the lesser of its own and the cloud's; omitted when it is 0.
    /// </summary>
    public byte FrameVersion { get; init; }

    /// <summary>
    /// The settled sequences by epoch: in an answer every epoch that was asked about, in a stored-ack those that
    /// changed.
    /// </summary>
    public IReadOnlyList<EpochSettlement> Epochs { get; init; } = [];

    /// <summary>Schemas that the database has.</summary>
    public IReadOnlyList<SchemaId> KnownSchemas { get; init; } = [];

    /// <summary>The owner's position in a stream.</summary>
    public StreamProgress this[StreamKind stream] => stream == StreamKind.Live ? Live : Backlog;

    /// <summary>Writes it.</summary>
    public void Write(WireWriter writer)
    {
        writer.Byte((byte)DownKind.StoredAck);
        writer.Byte(
            (byte)((InAnswerTo is null ? 0 : AnswerBit) | (Fork ? ForkBit : 0) | (FrameVersion > 0 ? VersionBit : 0)));
        writer.UInt64(Token);
        if (InAnswerTo is { } hello)
        {
            writer.UInt32(hello.Process);
            writer.Varint(hello.Number);
        }

        writer.Time(ServerTimeMicros);
        writer.UInt64(Digest);
        writer.Varint(Live.Position);
        writer.Varint(Live.End);
        writer.Varint(Backlog.Position);
        writer.Varint(Backlog.End);
        writer.Varint((ulong)Epochs.Count);
        foreach (var epoch in Epochs)
        {
            writer.UInt64(epoch.Epoch);
            writer.Byte(epoch.Complete ? (byte)1 : (byte)0);
            foreach (var lane in epoch.Lanes)
            {
                WriteLane(writer, lane);
            }
        }

        writer.Varint((ulong)KnownSchemas.Count);
        foreach (var schema in KnownSchemas)
        {
            schema.Write(writer);
        }

        if (FrameVersion > 0)
        {
            writer.Byte(FrameVersion);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; throws <see cref="WireFormatException"/>.</summary>
    public static StoredAck Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var kind = reader.Byte();
        var bits = reader.Byte();
        if (kind != (byte)DownKind.StoredAck || bits > (AnswerBit | ForkBit | VersionBit))
        {
            throw new WireFormatException("not a stored-ack of a known version", 0);
        }

        var ack = new StoredAck
        {
            Fork = (bits & ForkBit) != 0,
            Token = reader.UInt64(),
            InAnswerTo = (bits & AnswerBit) != 0 ? new HelloId(reader.UInt32(), reader.Varint(long.MaxValue)) : null,
            ServerTimeMicros = reader.Time(),
            Digest = reader.UInt64(),
            Live = new StreamProgress(reader.Varint(long.MaxValue), reader.Varint(long.MaxValue)),
            Backlog = new StreamProgress(reader.Varint(long.MaxValue), reader.Varint(long.MaxValue)),
        };
        var epochs = new EpochSettlement[reader.Count(Hello.EpochsMax + Hello.CompleteMax, 42)];
        for (var i = 0; i < epochs.Length; i++)
        {
            epochs[i] = new EpochSettlement(
                reader.UInt64(), reader.Byte() == 1,
                [ReadLane(ref reader), ReadLane(ref reader), ReadLane(ref reader)]);
        }

        var schemas = new SchemaId[reader.Count(Hello.SchemasMax, SchemaId.Bytes)];
        for (var i = 0; i < schemas.Length; i++)
        {
            schemas[i] = SchemaId.Read(ref reader);
        }

        var version = (bits & VersionBit) != 0 ? reader.Byte() : (byte)0;
        reader.End();
        return ack with { Epochs = epochs, KnownSchemas = schemas, FrameVersion = version };
    }

    private static void WriteLane(WireWriter writer, LaneSettlement lane)
    {
        writer.Varint(lane.Prefix);
        writer.UInt64(lane.PrefixShare);
        writer.Varint(lane.Announced);
        writer.Varint((ulong)lane.Runs.Length);
        var at = lane.Prefix;
        foreach (var run in lane.Runs)
        {
            writer.Varint(run.Range.First - at);
            writer.Varint(run.Range.Count);
            writer.Byte((byte)run.State);
            writer.UInt64(run.Share);
            at = run.Range.Last;
        }
    }

    private static LaneSettlement ReadLane(ref WireReader reader)
    {
        var prefix = reader.Varint(long.MaxValue / 2);
        var share = reader.UInt64();
        var announced = reader.Varint(long.MaxValue);
        var runs = new SettledRun[reader.Count(RunsMax, 11)];
        var at = prefix;
        for (var i = 0; i < runs.Length; i++)
        {
            var first = at + reader.Varint(long.MaxValue / 2 - at);
            var count = reader.Varint(long.MaxValue / 2 - first);
            var state = reader.Byte();
            if (first <= at || count == 0 || state > (byte)RunState.Lost)
            {
                throw new WireFormatException("runs are not ascending", reader.Offset);
            }

            runs[i] = new SettledRun(
                new SequenceRange(first, at = first + count - 1), (RunState)state, reader.UInt64());
        }

        return new LaneSettlement(prefix, share, announced, runs);
    }
}
