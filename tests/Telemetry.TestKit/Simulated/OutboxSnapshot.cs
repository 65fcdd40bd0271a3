using System.Collections.Immutable;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// What a simulated outbox file holds after some commit; immutable, so that an older copy can be put back.
/// </summary>
public sealed record OutboxSnapshot
{
    public required ulong OutboxId { get; init; }

    /// <summary>Whose it is; null until it was opened.</summary>
    public GatewayId? Gateway { get; init; }

    public long Accepted { get; init; }

    public long PromisedW { get; init; } = long.MinValue;

    internal ImmutableSortedDictionary<long, SegmentRow> Segments { get; init; } =
        ImmutableSortedDictionary<long, SegmentRow>.Empty;

    internal ImmutableDictionary<FrameId, FrameRow> Frames { get; init; } =
        ImmutableDictionary<FrameId, FrameRow>.Empty;

    internal ImmutableSortedDictionary<long, EpochRow> Epochs { get; init; } =
        ImmutableSortedDictionary<long, EpochRow>.Empty;

    internal ImmutableSortedDictionary<long, DropRow> Drops { get; init; } =
        ImmutableSortedDictionary<long, DropRow>.Empty;

    internal ImmutableSortedDictionary<long, SchemaRow> Schemas { get; init; } =
        ImmutableSortedDictionary<long, SchemaRow>.Empty;

    internal ImmutableSortedDictionary<long, RequestRow> Requests { get; init; } =
        ImmutableSortedDictionary<long, RequestRow>.Empty;

    internal ImmutableList<QuarantineRow> Quarantine { get; init; } = [];

    /// <summary>The frames whose bytes are here.</summary>
    public IEnumerable<FrameKey> HeldFrames => Frames.Values.Where(f => !f.Data.IsEmpty).Select(f => f.Key);

    /// <summary>The last schema of the chain.</summary>
    public SchemaId SchemaId => Schemas.IsEmpty ? default : Schemas[Schemas.Count].Message.Id;

    /// <summary>How many accepted readings wait in segments: those that a restored older copy may double.</summary>
    public long UnsealedReadings => Segments.Values.Sum(s => (long)s.Count);

    /// <summary>The bytes of segments and of held frames.</summary>
    public long StoredBytes { get; private init; }

    internal OutboxSnapshot With(OutboxCommit commit)
    {
        if (commit.Accepted < Accepted)
        {
            throw new OutboxException($"accepted fell from {Accepted} to {commit.Accepted}", isTransient: false);
        }

        var frames = Frames.ToBuilder();
        foreach (var frame in commit.Frames)
        {
            frames[frame.Id] = Stored(frame, frames.GetValueOrDefault(frame.Id));
        }

        frames.RemoveRange(commit.RemovedFrames);
        var next = Applied(commit, frames.ToImmutable());
        return next with
        {
            StoredBytes = next.Segments.Values.Sum(s => (long)s.Bytes)
                + next.Frames.Values.Sum(f => f.Held ? (long)f.Bytes : 0),
        };
    }

    private OutboxSnapshot Applied(OutboxCommit commit, ImmutableDictionary<FrameId, FrameRow> frames) =>
        this with
        {
            Accepted = commit.Accepted,
            PromisedW = commit.PromisedW,
            Segments = Segments
                .SetItems(commit.Segments.Select(s => KeyValuePair.Create(s.Id, Copy(s))))
                .RemoveRange(commit.RemovedSegments),
            Frames = frames,
            Epochs = Epochs.SetItems(commit.Epochs.Select(e => KeyValuePair.Create(e.Order, e))),
            Drops = Drops
                .SetItems(commit.Drops.Select(d => KeyValuePair.Create(d.Id, d)))
                .RemoveRange(commit.RemovedDrops),
            Schemas = Schemas.SetItems(commit.Schemas.Select(s => KeyValuePair.Create(s.Order, s))),
            Requests = commit.Requests.Count == 0 && commit.RequestsForgottenTo == 0
                ? Requests
                : Requests
                    .SetItems(commit.Requests.Select(r => KeyValuePair.Create(r.Order, Copy(r))))
                    .RemoveRange(Requests.Keys.TakeWhile(order => order <= commit.RequestsForgottenTo)),
            Quarantine = [.. Quarantine.AddRange(commit.Quarantined).TakeLast(QuarantineRow.RowsMax)],
        };

    internal OutboxImage Image() => new()
    {
        OutboxId = OutboxId,
        Accepted = Accepted,
        PromisedW = PromisedW,
        Segments = [.. Segments.Values.Select(s => s with { Data = default, Counts = default })],
        Frames =
        [
            .. Frames.Values
                .OrderBy(f => Epochs.Values.FirstOrDefault(e => e.Epoch == f.Key.Epoch)?.Order ?? 0)
                .ThenBy(f => f.Key.Lane).ThenBy(f => f.Key.First)
                .Select(f => f with { Data = default, Counts = default }),
        ],
        Epochs = [.. Epochs.Values],
        Drops = [.. Drops.Values],
        Schemas = [.. Schemas.Values],
        Requests = [.. Requests.Values],
    };

    private static SegmentRow Copy(SegmentRow row) =>
        row with { Data = row.Data.ToArray(), Counts = row.Counts.ToArray() };

    private static RequestRow Copy(RequestRow row) =>
        row with { Request = row.Request with { Answer = row.Request.Answer.ToArray() } };

    private static FrameRow Stored(FrameRow row, FrameRow? before) => row with
    {
        Data = !row.Held ? default : row.Data.IsEmpty && before is not null ? before.Data : row.Data.ToArray(),
        Counts = row.Counts.IsEmpty && before is not null ? before.Counts : row.Counts.ToArray(),
    };
}
