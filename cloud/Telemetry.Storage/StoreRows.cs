using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Alerts;

namespace Telemetry.Storage;

/// <summary>
/// A place in a stream: when the stream was made, the last sequence that the database holds, that message's id and the
/// time it was stored. Sequence 0 or an empty id: nothing of that stream was read, or what stood there is gone.
/// </summary>
public readonly record struct StreamPosition(long StreamCreatedNanos, long Sequence, string MessageId, long StoredAtNanos)
{
    /// <summary>Nothing read yet.</summary>
    public static readonly StreamPosition None = new(0, 0, "", 0);
}

/// <summary>
/// A partition's row: whose it is, how many ledger transactions there were, where reading goes on, and the newest row
/// of its alert outbox.
/// </summary>
public sealed record PartitionRow(
    int Partition, ulong Token, long Commits, StreamPosition Live, StreamPosition Backlog, AlertHead Alerts);

/// <summary>What a commit expects of a partition's row, and what it makes of it (commits + 1, lease renewed).</summary>
public sealed record PartitionStep(
    PartitionRow Expected, StreamPosition Live, StreamPosition Backlog, AlertHead Alerts, TimeSpan Lease);

/// <summary>
/// What the ledger knows of one epoch. A complete one has no lanes, only its last sequences and its lost runs.
/// </summary>
/// <param name="Gateway">Whose epoch.</param>
/// <param name="Epoch">Its id.</param>
/// <param name="Predecessor">As its frames and hellos say; null until one said it.</param>
/// <param name="Complete">Every sequence up to the last is settled and a successor is known.</param>
/// <param name="Lasts">The last sequences ever announced; of a complete epoch its last sequences.</param>
/// <param name="Outbox">The outbox whose hello named it first; null while none did.</param>
public sealed record EpochLedgerRow(
    GatewayId Gateway, ulong Epoch, Predecessor? Predecessor, bool Complete, LaneLasts Lasts, ulong? Outbox = null);

/// <summary>The settled prefix of one lane of one epoch.</summary>
public sealed record LaneLedgerRow(GatewayId Gateway, ulong Epoch, Lane Lane, long Prefix, ulong PrefixShare);

/// <summary>A run of settled or lost sequences beyond the prefix; its key is (gateway, epoch, lane, first).</summary>
public sealed record RunRow(GatewayId Gateway, ulong Epoch, Lane Lane, SettledRun Run);

/// <summary>Names a run.</summary>
public readonly record struct RunId(GatewayId Gateway, ulong Epoch, Lane Lane, long First);

/// <summary>
/// A gateway's totals and watermark. Totals are absolute: the compare-and-set proves that nobody else wrote.
/// </summary>
/// <param name="Gateway">Which gateway.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Stored">Readings stored.</param>
/// <param name="Rejected">Readings kept as dead letters.</param>
/// <param name="Dropped">Readings declared dropped.</param>
/// <param name="Lost">Readings that nobody has any more.</param>
/// <param name="Watermark">
/// The greatest W whose promise is settled; <see cref="long.MinValue"/> before the first.
/// </param>
/// <param name="Fork">Forks that were seen and not yet explained by an operator, one a line; empty for none.</param>
public sealed record GatewayRow(
    GatewayId Gateway, int Partition, long Stored, long Rejected, long Dropped, long Lost, long Watermark, string Fork)
{
    /// <summary>Forks that an operator explained, one a line. Only an operator's word writes it, no commit.</summary>
    public string ForkResolved { get; init; } = "";

    /// <summary>A gateway of which nothing is known.</summary>
    public static GatewayRow New(GatewayId gateway, int partition) =>
        new(gateway, partition, 0, 0, 0, 0, long.MinValue, "");
}

/// <summary>The accepted total of one outbox as the gateway told it; the database keeps the greatest.</summary>
public sealed record OutboxRow(GatewayId Gateway, ulong Outbox, long Accepted);

/// <summary>Everything that <see cref="IStore.LoadGatewaysAsync"/> gives of one gateway.</summary>
public sealed record GatewayRecord(
    GatewayRow? Gateway,
    GatewayId Id,
    IReadOnlyList<EpochLedgerRow> Epochs,
    IReadOnlyList<LaneLedgerRow> Lanes,
    IReadOnlyList<RunRow> Runs,
    IReadOnlyList<OutboxRow> Outboxes,
    IReadOnlyList<AlertStateRow> AlertStates)
{
    /// <summary>Which messages wait for a schema, the oldest first, and how many bytes each has.</summary>
    public IReadOnlyList<(WaitingId Id, int Bytes)> Waiting { get; init; } = [];
}

/// <summary>Names a message that waits for a schema; the hash is XxHash64 over what it holds.</summary>
public readonly record struct WaitingId(GatewayId Gateway, SchemaId Needs, ulong Hash);

/// <summary>A message of the log that was read before the schema that it needs, as it came.</summary>
/// <param name="Id">Its name.</param>
/// <param name="StoredAtNanos">When the log stored it.</param>
/// <param name="Bytes">The log's bytes.</param>
public sealed record WaitingRow(WaitingId Id, long StoredAtNanos, ReadOnlyMemory<byte> Bytes);

/// <summary>One row of the frame register: a settled frame.</summary>
/// <param name="Gateway">Whose frame.</param>
/// <param name="Key">Epoch, lane, range.</param>
/// <param name="Stored">Readings stored.</param>
/// <param name="Rejected">Readings rejected.</param>
/// <param name="Dropped">Readings declared dropped.</param>
/// <param name="TimeFirst">The least event time; 0 when nothing is in it.</param>
/// <param name="TimeLast">The greatest event time.</param>
/// <param name="Checksum">The frame's checksum.</param>
/// <param name="HashSum">Sum of the hashes of the readings stored.</param>
public sealed record FrameRegisterRow(
    GatewayId Gateway, FrameKey Key, int Stored, int Rejected, int Dropped,
    long TimeFirst, long TimeLast, ulong Checksum, ulong HashSum);

/// <summary>A declaration of dropped readings, as a frame carried it.</summary>
public sealed record DropLedgerRow(
    GatewayId Gateway, FrameKey Frame, SeriesIdentity Series, Declaration Declaration);

/// <summary>Why something is kept as a dead letter.</summary>
public enum DeadLetterReason : short
{
    /// <summary>A value that the database cannot hold (text with NUL, text that is no UTF-8).</summary>
    Value = 1,

    /// <summary>An event time outside what the database can hold.</summary>
    Time = 2,

    /// <summary>A frame that cannot be decoded though its checksum is right.</summary>
    Malformed = 3,

    /// <summary>A range that is settled with other content, or overlaps a settled one in part.</summary>
    Fork = 4,

    /// <summary>Refused by the database for a reason found only there; the error is the database's own.</summary>
    Database = 5,

    /// <summary>A schema beyond what its gateway may register.</summary>
    Limit = 6,
}

/// <summary>What the bytes of a dead letter are.</summary>
public enum DeadLetterContent : short
{
    /// <summary>The value of one reading: its 8 bytes little-endian, or its text; empty where it is null.</summary>
    Value = 1,

    /// <summary>
    /// Readings in the columns of a frame (<see cref="ReadingColumns"/>), series indexes of
    /// <see cref="DeadLetterRow.Schema"/>.
    /// </summary>
    Readings = 2,

    /// <summary>A frame as it came, or a whole message where it is none.</summary>
    Message = 3,

    /// <summary>A frame as it came, of which the frame register has no row either.</summary>
    Unregistered = 4,
}

/// <summary>
/// What was refused, kept with its original bytes. <paramref name="Readings"/> is how many readings it stands for in
/// the books: 0 for what is in no book (a fork, whose range is settled already; a message that is no frame). Of those
/// the database keeps the newest <see cref="UnbookedOfGatewayMax"/> of a gateway and <see cref="UnbookedMax"/> in all;
/// older ones go, so that a flood of them fills nothing.
/// </summary>
public sealed record DeadLetterRow(
    GatewayId Gateway, FrameKey Frame, DeadLetterReason Reason, string Error, int Readings,
    SeriesIdentity Series, long Time, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The most letters of one gateway that are in no book.</summary>
    public const int UnbookedOfGatewayMax = 100;

    /// <summary>The most letters of all gateways that are in no book.</summary>
    public const int UnbookedMax = 10_000;

    /// <summary>What the bytes are.</summary>
    public DeadLetterContent Content { get; init; } = DeadLetterContent.Message;

    /// <summary>Of a value: what its reading carries beside it.</summary>
    public ReadingFlags Flags { get; init; }

    /// <summary>Of readings: the schema that their series indexes are of.</summary>
    public SchemaId Schema { get; init; }
}

/// <summary>
/// A schema message and its gateway's list after it. The commit registers its series and gives them their numbers, but
/// for those that have a <see cref="SeriesEntry.Refusal"/>.
/// </summary>
public sealed record SchemaLedgerRow(SchemaMessage Message, SeriesList List)
{
    /// <summary>The series that the message added.</summary>
    public ReadOnlySpan<SeriesEntry> Added => List.Entries[(List.Count - Message.Series().Count)..];
}

/// <summary>The numbers that the database gave a series and its device.</summary>
public readonly record struct SeriesNumbers(int Series, int Device);

/// <summary>All schemas of a gateway, in any order, and the numbers of all series that it registered.</summary>
public sealed record GatewaySchemaRows(
    IReadOnlyList<SchemaMessage> Messages, IReadOnlyDictionary<SeriesIdentity, SeriesNumbers> Series);

/// <summary>
/// All rows of one transaction. Reusable: <see cref="Clear"/> keeps the buffers. Runs are removed first, lanes last;
/// between, rows replace those of the same key (of equal keys in one commit the last one counts; of an outbox the
/// greatest total). Alert states are removed first too. Frames, drops, dead letters and the alert outbox are only
/// added. A schema that is registered already changes nothing.
/// </summary>
public sealed class StoreCommit
{
    public List<PartitionStep> Partitions { get; } = [];

    /// <summary>
    /// Set by a commit that did not happen: the partitions that were not its owner's, or that were busy.
    /// </summary>
    public List<int> NotOwned { get; } = [];

    public List<SchemaLedgerRow> Schemas { get; } = [];
    public List<GatewayRow> Gateways { get; } = [];
    public List<OutboxRow> Outboxes { get; } = [];
    public List<EpochLedgerRow> Epochs { get; } = [];
    public List<LaneLedgerRow> Lanes { get; } = [];
    public List<RunId> RemovedRuns { get; } = [];
    public List<RunRow> Runs { get; } = [];
    public List<FrameRegisterRow> Frames { get; } = [];
    public List<DropLedgerRow> Drops { get; } = [];
    public List<DeadLetterRow> DeadLetters { get; } = [];

    /// <summary>Messages that wait for a schema; one that is there already stays as it is.</summary>
    public List<WaitingRow> Waiting { get; } = [];

    /// <summary>Messages that wait no more; removed before others are added.</summary>
    public List<WaitingId> RemovedWaiting { get; } = [];

    public List<AlertStateId> RemovedAlertStates { get; } = [];
    public List<AlertStateRow> AlertStates { get; } = [];
    public List<AlertOutboxRow> AlertOutbox { get; } = [];

    /// <summary>
    /// Epochs that became complete: their lane rows and settled runs go, also those of this commit (lost runs stay).
    /// </summary>
    public List<(GatewayId Gateway, ulong Epoch)> RemovedLanes { get; } = [];

    /// <summary>The new readings.</summary>
    public ReadingBuffer Readings { get; } = new();

    /// <summary>True when there is no row to write (partitions do not count).</summary>
    public bool IsEmpty =>
        Schemas.Count + Gateways.Count + Outboxes.Count + Epochs.Count + Lanes.Count + RemovedRuns.Count
        + Runs.Count + Frames.Count + Drops.Count + DeadLetters.Count + RemovedAlertStates.Count + AlertStates.Count
        + AlertOutbox.Count + RemovedLanes.Count + Waiting.Count + RemovedWaiting.Count + Readings.Count == 0;

    /// <summary>Forgets everything and keeps the buffers.</summary>
    public void Clear()
    {
        Partitions.Clear();
        NotOwned.Clear();
        Schemas.Clear();
        Gateways.Clear();
        Outboxes.Clear();
        Epochs.Clear();
        Lanes.Clear();
        RemovedRuns.Clear();
        Runs.Clear();
        Frames.Clear();
        Drops.Clear();
        DeadLetters.Clear();
        RemovedAlertStates.Clear();
        AlertStates.Clear();
        AlertOutbox.Clear();
        RemovedLanes.Clear();
        Waiting.Clear();
        RemovedWaiting.Clear();
        Readings.Clear();
    }
}
