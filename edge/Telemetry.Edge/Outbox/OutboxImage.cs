using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>Dropped readings that no sealed frame covers yet.</summary>
public sealed record DropRow(long Id, Declaration Declaration);

/// <summary>A schema that this gateway made; <paramref name="Order"/> counts from 1 along the chain.</summary>
public sealed record SchemaRow(SchemaMessage Message, long Order);

/// <summary>The content of an outbox file when it is opened.</summary>
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

    /// <summary>Drops that no frame covers yet.</summary>
    public IReadOnlyList<DropRow> Drops { get; init; } = [];

    /// <summary>The chain of schemas, first to last.</summary>
    public IReadOnlyList<SchemaRow> Schemas { get; init; } = [];

    /// <summary>The remembered requests, oldest first.</summary>
    public IReadOnlyList<RequestRow> Requests { get; init; } = [];
}
