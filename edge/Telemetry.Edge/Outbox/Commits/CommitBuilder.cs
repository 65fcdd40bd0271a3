using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox.Commits;

/// <summary>
/// Builds commits. One commit seals backlog first, then critical, then live readings, so that a live frame's promise
/// may rely on what is sealed with it.
/// </summary>
internal sealed class CommitBuilder(OutboxState state, OutboxOptions options, TimeProvider time)
{
    private readonly FrameSealer _sealer = new();
    private readonly WireWriter _writer = new(64 * 1024);
    private readonly WireWriter _scratch = new();
    private readonly List<SealPart> _parts = [];
    private readonly TestDrops _testDrops = new(options.TestDropEvery);
    private readonly List<SegmentRow> _segments = [];

    /// <summary>
    /// Drafts a commit of everything that waits. The caller must apply it (<see cref="OutboxState.Apply"/>), undo it
    /// (<see cref="OutboxState.Undo"/>), or give up the outbox.
    /// </summary>
    public CommitDraft Make(
        WaitingReadings waiting, BacklogPlan? backlog, List<FrameReplacement> replacements, bool linkUp)
    {
        _parts.Clear();
        _segments.Clear();
        _parts.AddRange(backlog?.Parts ?? []);
        AddFrames(Lane.Critical, waiting.Critical);
        if (linkUp)
        {
            AddFrames(Lane.Live, waiting.Ordinary);
        }
        else
        {
            AddSegments(waiting.Ordinary);
        }

        for (var i = 0; i < _parts.Count; i++)
        {
            _parts[i] = _testDrops.Take(_parts[i]);
        }

        // A frame that was freed meanwhile needs no tombstone.
        replacements = replacements.FindAll(r => !r.Old.Freed);
        var schemas = state.Series.TakeAdditions();
        var epoch = _parts.Count == 0 ? null : state.Epochs.Own ?? state.Epochs.Draft();
        var lasts = epoch?.Sealed ?? default;
        var w = state.LimitW(time.GetUtcNow(), options.AllowedLateness, UnsealedTimeMin(backlog));
        var canPromise = state.CanPromise(epoch ?? state.Epochs.Own);
        var frames = epoch is null
            ? []
            : _sealer.Seal(
                _parts,
                epoch,
                ref lasts,
                canPromise ? w : null,
                state.RestOfPromise(epoch),
                state.Series,
                state.FrameVersion);
        var notes = state.Notes.Take();
        return new CommitDraft
        {
            Epoch = epoch,
            Lasts = lasts,
            Sealed = frames,
            Replacements = replacements,
            Commit = new OutboxCommit
            {
                Accepted = state.Accepted + waiting.Count,
                BringsReadings = waiting.Count > 0,
                PromisedW = canPromise ? w : Math.Min(w, state.PromisedW),
                Segments = [.. _segments],
                RemovedSegments = backlog?.Segments ?? [],
                Frames = [.. notes.Frames, .. frames, .. replacements.Select(r => r.Tombstone)],
                RemovedFrames = notes.Removed,
                Epochs = EpochRows(notes.Epochs, epoch, lasts),
                RemovedDrops = backlog?.Drops ?? [],
                Schemas = schemas,
                Requests = waiting.Requests.Count == 0 ? [] : state.Requests.Rows(waiting.Requests),
                RequestsForgottenTo = waiting.Requests.Count == 0 ? 0 : state.Requests.ForgetTo(waiting.Requests.Count),
                Quarantined = [.. replacements.Select(r => r.Quarantined).OfType<QuarantineRow>()],
            },
        };
    }

    private static List<EpochRow> EpochRows(List<EpochState> noted, EpochState? epoch, LaneLasts lasts)
    {
        var rows = new List<EpochRow>();
        foreach (var other in noted)
        {
            if (other != epoch)
            {
                rows.Add(other.Row());
            }
        }

        if (epoch is not null)
        {
            rows.Add(epoch.Row() with { Sealed = lasts });
        }

        return rows;
    }

    private void AddFrames(Lane lane, SortedBatch rows)
    {
        for (var order = rows.Sorted(); !order.IsEmpty;)
        {
            var length = FrameSizeLimit.Length(
                rows.Batch,
                order.Span,
                state.Series.Types,
                options.SegmentReadingsMax,
                options.SegmentBytesMax,
                state.FrameVersion);
            _parts.Add(SealPart.OfRows(lane, rows.Batch, order[..length]));
            order = order[length..];
        }
    }

    private void AddSegments(SortedBatch rows)
    {
        var id = state.Segments.NextId;
        for (var order = rows.Sorted(); !order.IsEmpty;)
        {
            var length = FrameSizeLimit.Length(
                rows.Batch,
                order.Span,
                state.Series.Types,
                options.SegmentReadingsMax,
                options.SegmentBytesMax,
                FrameHeader.VersionMax);
            var cut = order.Span[..length];
            var (first, last) = SealPart.TimeSpanOf(rows.Batch, cut);
            _writer.Clear();
            SegmentColumns.Write(_writer, rows.Batch, cut, state.Series.Types);
            _segments.Add(new SegmentRow(
                id++,
                length,
                rows.Batch.Series[cut[0]],
                first,
                last,
                _writer.Length,
                _writer.ToArray(),
                SeriesCounts.OfRows(rows.Batch, cut, _scratch)));
            order = order[length..];
        }
    }

    private long UnsealedTimeMin(BacklogPlan? backlog)
    {
        var min = state.Segments.TimeMin(backlog?.Segments.Count ?? 0);
        foreach (var segment in _segments)
        {
            min = Math.Min(min, segment.TimeFirst);
        }

        foreach (var drop in state.Drops)
        {
            if (backlog is null || !backlog.Drops.Contains(drop.Id))
            {
                min = Math.Min(min, drop.Declaration.TimeFirst);
            }
        }

        return min;
    }
}
