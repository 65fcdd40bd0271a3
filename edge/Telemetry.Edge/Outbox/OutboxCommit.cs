using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>Names a frame in the outbox: its epoch, lane and first sequence.</summary>
public readonly record struct FrameId(ulong Epoch, Lane Lane, long First);

/// <summary>
/// One durable commit's readings, not sealed yet. <paramref name="Series"/> is one series of it, the least bad word
/// should data and counts both be damaged. <paramref name="Data"/> (SegmentColumns) and <paramref name="Counts"/>
/// (<see cref="SeriesCounts"/>) are empty in an image.
/// </summary>
public sealed record SegmentRow(
    long Id, int Count, int Series, long TimeFirst, long TimeLast, int Bytes, ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Counts);

/// <summary>
/// A sealed frame that is still held. <paramref name="Held"/> false: its bytes went at the quota (it has a receipt) or
/// are damaged, its header stays. <paramref name="Series"/>, times and <paramref name="Counts"/> say what to declare
/// should the bytes be damaged. <paramref name="Data"/> and <paramref name="Counts"/> are empty in an image.
/// </summary>
public sealed record FrameRow(
    FrameKey Key,
    int Dropped,
    ulong Checksum,
    SchemaId Schema,
    int Bytes,
    bool Held,
    Receipt? Receipt,
    int Series,
    long TimeFirst,
    long TimeLast,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Counts)
{
    /// <summary>The frame's name in the outbox.</summary>
    public FrameId Id => new(Key.Epoch, Key.Lane, Key.First);
}

/// <summary>A frame that the cloud refused for a fault of its own: its bytes and why. Kept for an operator.</summary>
public sealed record QuarantineRow(FrameKey Key, string Reason, long AtMicros, ReadOnlyMemory<byte> Data)
{
    /// <summary>The most rows kept; the oldest ones go.</summary>
    public const int RowsMax = 64;
}

/// <summary>A run of freed sequences and the sum of its frames' shares (<see cref="FrameKey.Share"/>).</summary>
public readonly record struct FreedRun(SequenceRange Range, ulong Share);

/// <summary>
/// What is freed of one lane of an epoch: runs, ascending, adjacent ones merged. At <see cref="RunsMax"/> nothing
/// beyond is freed until gaps close.
/// </summary>
public sealed record FreedLane(IReadOnlyList<FreedRun> Runs)
{
    /// <summary>The most runs kept.</summary>
    public const int RunsMax = 1024;

    /// <summary>Nothing is freed.</summary>
    public static readonly FreedLane Empty = new([]);
}

/// <summary>
/// An epoch as the outbox knows it. <paramref name="Freed"/> has an entry for each lane. A complete one keeps all of
/// it, because an answer may call it open again. <paramref name="Order"/> counts epochs of this outbox from 1;
/// complete ones that were taken over from the cloud's books have 0 and less.
/// </summary>
public sealed record EpochRow(
    ulong Epoch, long Order, Predecessor Predecessor, LaneLasts Sealed, FreedLane[] Freed, bool Complete);

/// <summary>Readings dropped that no sealed frame covers yet.</summary>
public sealed record DropRow(long Id, Declaration Declaration);

/// <summary>A schema that this gateway made; <paramref name="Order"/> counts from 1 along the chain.</summary>
public sealed record SchemaRow(SchemaMessage Message, long Order);

/// <summary>What an outbox file holds when it is opened.</summary>
public sealed record OutboxImage
{
    /// <summary>The file's random id.</summary>
    public required ulong OutboxId { get; init; }

    /// <summary>How many readings were ever accepted.</summary>
    public long Accepted { get; init; }

    /// <summary>The W of the last promise that was committed; <see cref="long.MinValue"/> when there is none.</summary>
    public long PromisedW { get; init; } = long.MinValue;

    /// <summary>Unsealed segments by id, without bytes.</summary>
    public IReadOnlyList<SegmentRow> Segments { get; init; } = [];

    /// <summary>Sealed frames that are not freed, without bytes, in order of epoch, lane, first.</summary>
    public IReadOnlyList<FrameRow> Frames { get; init; } = [];

    /// <summary>All epochs, oldest first.</summary>
    public IReadOnlyList<EpochRow> Epochs { get; init; } = [];

    /// <summary>Drops that wait for a frame.</summary>
    public IReadOnlyList<DropRow> Drops { get; init; } = [];

    /// <summary>The chain of schemas, first to last.</summary>
    public IReadOnlyList<SchemaRow> Schemas { get; init; } = [];

    /// <summary>The remembered requests, oldest first.</summary>
    public IReadOnlyList<RequestRow> Requests { get; init; } = [];
}

/// <summary>
/// One durable step of the outbox. Rows replace those of the same key; removals of what is not there are no error.
/// </summary>
public sealed record OutboxCommit
{
    /// <summary>The new accepted total; never less than the one before.</summary>
    public required long Accepted { get; init; }

    /// <summary>The new W.</summary>
    public required long PromisedW { get; init; }

    /// <summary>Segments to write.</summary>
    public IReadOnlyList<SegmentRow> Segments { get; init; } = [];

    /// <summary>Segments that were sealed or merged.</summary>
    public IReadOnlyList<long> RemovedSegments { get; init; } = [];

    /// <summary>
    /// Frames to write, with bytes; or with new facts only, where <see cref="FrameRow.Data"/> is empty (the stored
    /// bytes stay while Held, go otherwise; the counts stay).
    /// </summary>
    public IReadOnlyList<FrameRow> Frames { get; init; } = [];

    /// <summary>Frames that are freed.</summary>
    public IReadOnlyList<FrameId> RemovedFrames { get; init; } = [];

    /// <summary>Epochs to write.</summary>
    public IReadOnlyList<EpochRow> Epochs { get; init; } = [];

    /// <summary>Drops to write.</summary>
    public IReadOnlyList<DropRow> Drops { get; init; } = [];

    /// <summary>Drops that a sealed frame now covers.</summary>
    public IReadOnlyList<long> RemovedDrops { get; init; } = [];

    /// <summary>Schemas to add at the chain's end.</summary>
    public IReadOnlyList<SchemaRow> Schemas { get; init; } = [];

    /// <summary>Frames to keep in quarantine; beyond <see cref="QuarantineRow.RowsMax"/> the oldest go.</summary>
    public IReadOnlyList<QuarantineRow> Quarantined { get; init; } = [];

    /// <summary>
    /// True when it brings new readings. One that does not (seals, frees, receipts) may use the space that the file
    /// keeps in reserve, so that a full disk can always be drained.
    /// </summary>
    public bool BringsReadings { get; init; }

    /// <summary>Requests to remember, in order, behind all that were remembered before.</summary>
    public IReadOnlyList<RequestRow> Requests { get; init; } = [];

    /// <summary>Requests of this order and below are forgotten; 0: none.</summary>
    public long RequestsForgottenTo { get; init; }
}
