using Telemetry.Edge.Outbox.Commits;
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The state of the outbox in memory: all of it is durable except the deferred updates. A commit under way changes
/// nothing here until it is durable.
/// </summary>
internal sealed class OutboxState
{
    private OutboxState(OutboxImage image, GatewayId gateway, OutboxOptions options, TimeProvider time, Random random)
    {
        Gateway = gateway;
        OutboxId = image.OutboxId;
        Accepted = image.Accepted;
        PromisedW = image.PromisedW;
        Series = new SeriesRegister(gateway, image.Schemas, options.SeriesMax);
        Epochs = new EpochHistory(image.Epochs, random);
        Requests = new RequestMemory(image.Requests, options, time);
        Drops = [.. image.Drops];
        Cache = new FrameCache(options.CacheBytesMax);
        foreach (var segment in image.Segments)
        {
            Segments.Add(SegmentFacts.Of(segment));
        }

        foreach (var row in image.Frames)
        {
            var epoch = Epochs.Find(row.Key.Epoch)
                ?? throw new KeyNotFoundException($"the epoch of {row.Key} is unknown");
            Hold(new HeldFrame(row, epoch.Order, sealedByThisRun: false));
        }
    }

    /// <summary>Throws <see cref="OutboxException"/> when the content of the file is inconsistent.</summary>
    public static OutboxState Of(
        OutboxImage image, GatewayId gateway, OutboxOptions options, TimeProvider time, Random random)
    {
        try
        {
            return new OutboxState(image, gateway, options, time, random);
        }
        catch (Exception e) when (e is FormatException or ArgumentException or KeyNotFoundException)
        {
            throw new OutboxException(
                $"the outbox's content is damaged ({e.Message}): keep a copy, and move it away to begin a new one",
                OutboxFault.Corrupt,
                e);
        }
    }

    public GatewayId Gateway { get; }

    public ulong OutboxId { get; }

    public long Accepted { get; private set; }

    /// <summary>
    /// The version in which frames are sealed: 0 until an answer says that the cloud reads a greater one.
    /// </summary>
    public byte FrameVersion { get; set => field = Math.Min(value, FrameHeader.VersionMax); }

    /// <summary>W as the last commit recorded it; long.MinValue before the first.</summary>
    public long PromisedW { get; private set; }

    public SegmentQueue Segments { get; } = new();

    public HeldFrames Frames { get; } = new();

    public EpochHistory Epochs { get; }

    public SeriesRegister Series { get; }

    public RequestMemory Requests { get; }

    public List<DropRow> Drops { get; }

    public DeferredUpdates Notes { get; } = new();

    public FrameCache Cache { get; }

    /// <summary>The bytes of held frames.</summary>
    public long FrameBytes { get; private set; }

    /// <summary>The bytes that count against the quota.</summary>
    public long StoredBytes => Segments.Bytes + FrameBytes;

    /// <summary>
    /// Promises name at most 16 epochs. The draft's own epoch counts if it is not among the open ones.
    /// </summary>
    public bool CanPromise(EpochState? own) =>
        Epochs.Open.Count + (own is null || Epochs.Find(own.Epoch) is not null ? 0 : 1) <= Promise.EpochsMax;

    /// <summary>The other open epochs and the digest, as promises name them now.</summary>
    public PromiseRest RestOfPromise(EpochState? own) => new(
        [.. Epochs.Open.Where(e => e.Epoch != own?.Epoch).Select(e => new EpochLasts(e.Epoch, e.Sealed))],
        Epochs.CompleteDigest);

    /// <summary>
    /// The promise that a hello may make now; null before the first promise and with too many open epochs.
    /// </summary>
    public Promise? CurrentPromise()
    {
        if (PromisedW == long.MinValue || !CanPromise(Epochs.Own))
        {
            return null;
        }

        var rest = RestOfPromise(Epochs.Own);
        return Epochs.Own is { } own
            ? rest.Promise(PromisedW, new EpochLasts(own.Epoch, own.Sealed))
            : new Promise(PromisedW, [.. rest.Others], rest.Digest);
    }

    /// <summary>
    /// The W that may be recorded when everything besides <paramref name="unsealedTimeMin"/> is sealed.
    /// </summary>
    public long LimitW(DateTimeOffset now, TimeSpan allowedLateness, long unsealedTimeMin)
    {
        var clock = (now - allowedLateness - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return Math.Clamp(Math.Min(clock, unsealedTimeMin), WireReader.TimeMin, WireReader.TimeMax);
    }

    /// <summary>Applies a draft that is durable. Returns its frames, for the uplink.</summary>
    public List<HeldFrame> Apply(CommitDraft draft)
    {
        Accepted = draft.Commit.Accepted;
        PromisedW = draft.Commit.PromisedW;
        Series.Committed(draft.Commit.Schemas);
        Requests.Committed(draft.Commit.Requests, draft.Commit.RequestsForgottenTo);
        Notes.Committed();
        Segments.RemoveOldest(draft.Commit.RemovedSegments.Count);
        Drops.RemoveAll(d => draft.Commit.RemovedDrops.Contains(d.Id));
        foreach (var segment in draft.Commit.Segments)
        {
            Segments.Add(SegmentFacts.Of(segment));
        }

        if (draft.Epoch is { } epoch)
        {
            if (Epochs.Own != epoch)
            {
                Epochs.Begin(epoch);
            }

            epoch.Sealed = draft.Lasts;
        }

        var frames = new List<HeldFrame>();
        foreach (var row in draft.Sealed)
        {
            var frame = new HeldFrame(row, draft.Epoch!.Order, sealedByThisRun: true);
            Hold(frame);
            Cache.Add(frame.Id, row.Data);
            frames.Add(frame);
        }

        foreach (var replacement in draft.Replacements)
        {
            // A frame that was freed meanwhile is removed from the file by the next commit, under the same id.
            if (!replacement.Old.Freed)
            {
                frames.Add(Replace(replacement));
            }
        }

        return frames;
    }

    /// <summary>The draft's commit was rolled back: what it had taken waits for the next one.</summary>
    public void Undo(CommitDraft draft)
    {
        Series.Undo(draft.Commit.Schemas);
        Notes.Undo();
    }

    /// <summary>Removes the frame; the next commit removes it from the file.</summary>
    public void Remove(HeldFrame frame)
    {
        frame.Freed = true;
        Frames.Remove(frame);
        Cache.Remove(frame.Id);
        FrameBytes -= frame.Held ? frame.Bytes : 0;
        Notes.Removed(frame);
    }

    /// <summary>The frame's bytes were removed; its header stays.</summary>
    public void Unhold(HeldFrame frame)
    {
        frame.Held = false;
        FrameBytes -= frame.Bytes;
        Cache.Remove(frame.Id);
        Notes.Changed(frame);
    }

    private void Hold(HeldFrame frame)
    {
        Frames.Add(frame);
        FrameBytes += frame.Held ? frame.Bytes : 0;
    }

    private HeldFrame Replace(FrameReplacement replacement)
    {
        var old = replacement.Old;
        var frame = new HeldFrame(replacement.Tombstone, old.EpochOrder, old.SealedByThisRun);
        Frames.Replace(old, frame);
        old.Freed = true;
        FrameBytes += frame.Bytes - (old.Held ? old.Bytes : 0);
        Notes.Replaced(old);
        Cache.Add(frame.Id, replacement.Tombstone.Data);
        return frame;
    }
}
