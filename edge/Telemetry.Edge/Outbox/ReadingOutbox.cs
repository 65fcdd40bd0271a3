// Long: the one face of the outbox; each member hands on to the class that knows.
using Telemetry.Edge.Outbox.Commits;
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Edge.Outbox.Quota;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The durable outbox: takes readings from inputs, seals them into frames for the uplink, and keeps each frame until
/// the cloud has stored it. An input gets "accepted" only when its readings are durable (G1). All calls come from one
/// thread, on whose SynchronizationContext it was opened. It owns its file.
/// </summary>
public sealed class ReadingOutbox : IAsyncDisposable
{
    // A frame of this many readings always fits into the reserve of the file.
    private const int ReliefReadingsMax = 1024;

    private readonly IOutboxFile _file;
    private readonly TimeProvider _time;
    private readonly OutboxState _state;
    private readonly CommitLoop _commits;
    private readonly OfferAdmission _admission;
    private readonly BacklogMerge _backlog;
    private readonly FrameBytes _bytes;
    private bool _isSealingBacklog;
    private bool _isClosed;

    private ReadingOutbox(IOutboxFile file, OutboxState state, OutboxOptions options, TimeProvider time)
    {
        _file = file;
        _state = state;
        Options = options;
        _time = time;
        _commits = new CommitLoop(file, state, options, time);
        _admission = new OfferAdmission(state, _commits, options);
        _backlog = new BacklogMerge(file, state, options);
        _bytes = new FrameBytes(file, state, _commits, time);
    }

    /// <summary>Raised for each frame once its commit is durable, tombstones included.</summary>
    public event Action<HeldFrame>? Sealed
    {
        add => _commits.Sealed += value;
        remove => _commits.Sealed -= value;
    }

    /// <summary>The file's random id.</summary>
    public ulong OutboxId => _state.OutboxId;

    /// <summary>Its limits.</summary>
    public OutboxOptions Options { get; }

    /// <summary>How many readings were ever accepted, durably.</summary>
    public long Accepted => _state.Accepted;

    /// <summary>All series, including those that no commit has taken yet.</summary>
    public SeriesList Series => _state.Series.Current;

    /// <summary>Completes with the reason when the outbox breaks. All calls fail then; open the file again.</summary>
    public Task<OutboxException> Failed => _commits.Failed;

    /// <summary>While true, a commit's readings are sealed as live frames at once; critical ones always are.</summary>
    public bool LinkUp { get => _commits.LinkUp; set => _commits.LinkUp = value; }

    /// <summary>
    /// The version of frames that are sealed from now on, as the last answer allows; sealed frames keep theirs.
    /// </summary>
    public byte FrameVersion { get => _state.FrameVersion; set => _state.FrameVersion = value; }

    /// <summary>
    /// The frames that are not freed, by epoch, lane, first sequence. May be enumerated while frames are removed.
    /// </summary>
    public IReadOnlyCollection<HeldFrame> Held => _state.Frames;

    /// <summary>
    /// Frames that were freed or forgotten since the last commit. After a crash they are in the outbox again, so a
    /// hello still names them as held.
    /// </summary>
    public IEnumerable<FrameKey> FreedNotDurably => _state.Notes.RemovedNotDurably;

    /// <summary>Readings that are not sealed yet, including drops that no frame covers yet.</summary>
    public long UnsealedReadings => _state.Segments.Readings + _state.Drops.Sum(d => (long)d.Declaration.Count);

    /// <summary>The bytes that count against the quota.</summary>
    public long StoredBytes => _commits.Disk.UsedBytes;

    /// <summary>Whether readings are accepted at this moment, and if not, why.</summary>
    public OutboxStanding Standing => _commits.Disk.Standing;

    /// <summary>
    /// The epochs that no answer called complete, oldest first; the run's own is last, once it exists.
    /// </summary>
    public IReadOnlyList<EpochState> OpenEpochs => _state.Epochs.Open;

    /// <summary>The epochs that answers called complete.</summary>
    public IReadOnlyList<EpochLasts> CompleteEpochs => _state.Epochs.Complete;

    /// <summary>The digest of <see cref="CompleteEpochs"/>.</summary>
    public ulong CompleteDigest => _state.Epochs.CompleteDigest;

    /// <summary>The durable chain of schemas, first to last.</summary>
    public IReadOnlyList<SchemaRow> Schemas => _state.Series.Chain;

    /// <summary>Why the next frame begins a new epoch, or why the last one did; null when no fork was found.</summary>
    public string? Fork { get; private set; }

    /// <summary>
    /// Loads the file, which the outbox owns from then on. When this throws, the caller still owns it. Throws <see
    /// cref="OutboxException"/> when the content of the file is inconsistent.
    /// </summary>
    public static async Task<ReadingOutbox> OpenAsync(
        IOutboxFile file, GatewayId gateway, OutboxOptions options, TimeProvider time, Random random,
        CancellationToken ct)
    {
        options = options.Validated();
        var image = await file.LoadAsync(gateway, ct);
        return new ReadingOutbox(file, OutboxState.Of(image, gateway, options, time, random), options, time);
    }

    /// <summary>
    /// Finds or adds a series; an added series becomes durable with the next commit. Throws <see
    /// cref="ArgumentException"/> for a series that no schema can carry, and <see cref="InvalidOperationException"/> at
    /// <see cref="OutboxOptions.SeriesMax"/>.
    /// </summary>
    public int SeriesIndex(SeriesDefinition series) => _state.Series.IndexOf(series);

    /// <summary>The index of an existing series; -1 when it does not exist. Adds nothing.</summary>
    public int FindSeries(SeriesDefinition series) => _state.Series.Find(series);

    /// <summary>True when no more series can be added (<see cref="OutboxOptions.SeriesMax"/>).</summary>
    public bool SeriesFull => _state.Series.IsFull;

    /// <summary>A request that was answered durably, within the given time; otherwise null.</summary>
    public AnsweredRequest? FindRequest(UInt128 key, TimeSpan? within = null) => _state.Requests.Find(key, within);

    /// <summary>
    /// How many requests are remembered, how many were forgotten early since opening, and whether one more has room.
    /// </summary>
    public (int Remembered, long ForgottenEarly, bool Room) Requests => _state.Requests.Look(_commits.WaitingRequests);

    /// <summary>
    /// Offers readings, all or nothing; they are copied before it returns. Completes once they are durable or refused,
    /// for example while the disk is full or fails (<see cref="Standing"/>). Throws <see cref="OutboxException"/> when
    /// the outbox breaks: nothing was acknowledged then, but it is unknown whether the readings are durable. Cancelling
    /// ends the waiting, not the commit. Readings wait for others for at most <paramref name="deadline"/>, or for <see
    /// cref="OutboxOptions.CommitDeadline"/> when it is null or longer; critical ones are committed and sealed at once.
    /// A <paramref name="request"/> is remembered in the same commit; a request without readings is not remembered.
    /// </summary>
    public ValueTask<OfferOutcome> OfferAsync(
        ReadingBatch readings, TimeSpan? deadline, bool critical, CancellationToken ct, AnsweredRequest? request = null)
    {
        ThrowIfBroken();
        ct.ThrowIfCancellationRequested();
        if (readings.Count == 0)
        {
            return new(OfferOutcome.Accepted);
        }

        if (_admission.Refusal(readings, request) is { } refused)
        {
            return new(refused);
        }

        var wait = deadline is { } asked && asked < Options.CommitDeadline
            ? asked < TimeSpan.Zero ? TimeSpan.Zero : asked
            : Options.CommitDeadline;
        return new(_commits.OfferAsync(readings, wait, critical, request).WaitAsync(ct));
    }

    /// <summary>The frame with this id, if it is held.</summary>
    public HeldFrame? Find(FrameId id) => _state.Frames.Find(id);

    /// <summary>
    /// The bytes of a held frame; null when they are missing. If they prove damaged they are declared: a frame that
    /// certainly was never sent is replaced by a tombstone; any other is held without bytes from then on, and the cloud
    /// finds it stored or lost.
    /// </summary>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(HeldFrame frame, CancellationToken ct)
    {
        ThrowIfBroken();
        return _bytes.ReadAsync(frame, ct);
    }

    /// <summary>
    /// Seals unsealed readings as backlog in one commit, oldest first, each frame sorted by (series, time), with at
    /// most <paramref name="readingsMax"/> readings (never over 8,192) and about <paramref name="bytesMax"/> bytes
    /// (never over 64 KiB; more only where one reading needs more). Makes about <paramref name="framesMax"/> frames
    /// (never over 64 at once; more only where one segment needs more), or one while readings are refused, because the
    /// reserve has room for one. Returns the number of frames; 0 while the disk fails. One call at a time.
    /// </summary>
    public async ValueTask<int> SealBacklogAsync(int framesMax, int readingsMax, int bytesMax, CancellationToken ct)
    {
        ThrowIfBroken();
        if (_isSealingBacklog)
        {
            throw new InvalidOperationException("backlog is being sealed already");
        }

        if (_commits.Disk.Rests)
        {
            return 0;
        }

        if (Standing.DiskFailure is not null)
        {
            (framesMax, readingsMax) = (1, Math.Min(readingsMax, ReliefReadingsMax));
        }

        _isSealingBacklog = true;
        try
        {
            if (await _backlog.ReadAsync(framesMax, readingsMax, bytesMax, ct) is not { } plan)
            {
                return 0;
            }

            ThrowIfBroken();
            await _commits.SealAsync(plan);
            return plan.Parts.Count;
        }
        catch (OutboxException e) when (e.IsUndone)
        {
            // Rolled back: the segments are unchanged. The standing tells why.
            return 0;
        }
        finally
        {
            _isSealingBacklog = false;
        }
    }

    /// <summary>
    /// The promise that a hello may make now: the last durable W and the durable last sequences of every open epoch.
    /// Null before the first promise, and with more than 16 open epochs; W does not advance then.
    /// </summary>
    public Promise? CurrentPromise() => _state.CurrentPromise();

    /// <summary>Records where the log has the frame; null when an earlier receipt was withdrawn.</summary>
    public void NoteReceipt(HeldFrame frame, Receipt? receipt)
    {
        if (!frame.Freed && frame.Receipt != receipt)
        {
            frame.Receipt = receipt;
            _state.Notes.Changed(frame);
        }
    }

    /// <summary>
    /// The frame is stored: its share is added to what is freed, and the frame is removed. Returns false when the
    /// lane's freed runs are at their limit (<see cref="FreedLane.RunsMax"/>): the frame then stays until gaps close.
    /// </summary>
    public bool Free(HeldFrame frame)
    {
        var epoch = _state.Epochs.Find(frame.Key.Epoch)!;
        if (frame.Freed)
        {
            return true;
        }

        if (!epoch.TryFree(frame.Key, frame.Key.Share(frame.Checksum)))
        {
            return false;
        }

        _state.Remove(frame);
        _state.Notes.Changed(epoch);
        return true;
    }

    /// <summary>The frame is booked as lost and its bytes are not here: it is removed without a share.</summary>
    public void Forget(HeldFrame frame)
    {
        if (!frame.Freed)
        {
            _state.Remove(frame);
        }
    }

    /// <summary>An epoch of this outbox; null when it is unknown here.</summary>
    public EpochState? FindEpoch(ulong epoch) => _state.Epochs.Find(epoch);

    /// <summary>
    /// The frames of an epoch's lane that are not freed, in order. May be enumerated while frames are removed.
    /// </summary>
    public IEnumerable<HeldFrame> HeldIn(ulong epoch, Lane lane) =>
        _state.Epochs.Find(epoch) is { } known ? _state.Frames.Of(known.Order, lane) : [];

    /// <summary>
    /// An answer names a complete epoch that this outbox never had (another SD card, or one that was put back).
    /// </summary>
    public void AdoptComplete(EpochLasts epoch)
    {
        if (_state.Epochs.Find(epoch.Epoch) is null)
        {
            _state.Notes.Changed(_state.Epochs.Adopt(epoch));
        }
    }

    /// <summary>An answer called the epoch complete. Has no effect for the run's own epoch and unknown ones.</summary>
    public void MarkComplete(ulong epoch, LaneLasts lasts = default) => SetComplete(epoch, true, lasts);

    /// <summary>An answer does not know the epoch as complete: it is opened again.</summary>
    public void Reopen(ulong epoch) => SetComplete(epoch, false);

    /// <summary>
    /// A fork was found: calls <see cref="EndEpoch"/>. The new epoch's predecessor is the newest epoch that exists.
    /// </summary>
    public void StartNewEpoch(string why)
    {
        Fork = why;
        EndEpoch();
    }

    /// <summary>
    /// Ends the run's own epoch; the next frame begins a new one. The epoch stops being the run's own as soon as no
    /// commit can seal into it, so the cloud may call it complete even if no more readings arrive.
    /// </summary>
    public void EndEpoch() => _commits.EndEpoch();

    /// <summary>
    /// Replaces a frame that the cloud refused by a tombstone that declares its readings as Refused, and keeps the
    /// bytes in quarantine. Only for frames that certainly never reached the log.
    /// </summary>
    public ValueTask QuarantineAsync(HeldFrame frame, string reason, CancellationToken ct)
    {
        ThrowIfBroken();
        return _bytes.QuarantineAsync(frame, reason, ct);
    }

    /// <summary>
    /// Commits everything that waits and closes the file. After <see cref="OutboxOptions.CloseTimeout"/> it gives up on
    /// a disk that does not respond, and the waiting offers fail.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        try
        {
            await CloseAsync().WaitAsync(Options.CloseTimeout, _time);
        }
        catch (TimeoutException e)
        {
            _commits.Fail(new OutboxException("closing took too long: the last commit's outcome is unknown", true, e));
        }
        finally
        {
            _commits.Dispose();
        }
    }

    private async Task CloseAsync()
    {
        await _commits.FlushAsync();
        await _file.DisposeAsync();
    }

    private void SetComplete(ulong epoch, bool complete, LaneLasts lasts = default)
    {
        if (_state.Epochs.TrySetComplete(epoch, complete, lasts))
        {
            _state.Notes.Changed(_state.Epochs.Find(epoch)!);
        }
    }

    private void ThrowIfBroken()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (_commits.Failure is { } failure)
        {
            throw new OutboxException(failure.Message, failure.IsTransient, failure);
        }
    }
}
