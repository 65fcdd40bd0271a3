using Telemetry.Edge.Outbox.Offers;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// One durable step of the outbox. Rows replace those of the same key; removing a row that does not exist is allowed.
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
    /// Frames to write, with bytes; or with new facts only, when <see cref="FrameRow.Data"/> is empty (the stored bytes
    /// are kept while Held is true and removed otherwise; the counts are kept).
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

    /// <summary>Schemas to add at the end of the chain.</summary>
    public IReadOnlyList<SchemaRow> Schemas { get; init; } = [];

    /// <summary>
    /// Frames to keep in quarantine; beyond <see cref="QuarantineRow.RowsMax"/> the oldest are removed.
    /// </summary>
    public IReadOnlyList<QuarantineRow> Quarantined { get; init; } = [];

    /// <summary>
    /// True when the commit contains new readings. A commit without them (seals, frees, receipts) may use the space
    /// that the file keeps in reserve, so that a full disk can always be drained.
    /// </summary>
    public bool BringsReadings { get; init; }

    /// <summary>Requests to remember, in order, after all that were remembered before.</summary>
    public IReadOnlyList<RequestRow> Requests { get; init; } = [];

    /// <summary>Requests with this order or a lower one are forgotten; 0 for none.</summary>
    public long RequestsForgottenTo { get; init; }
}
