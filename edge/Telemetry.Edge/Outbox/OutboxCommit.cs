using Telemetry.Edge.Outbox.Offers;

namespace Telemetry.Edge.Outbox;

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
