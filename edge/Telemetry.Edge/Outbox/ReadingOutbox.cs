// Long: the one face of the outbox; each member hands on to the class that knows.
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox;

/// <summary>
/// The durable outbox: takes readings from inputs, seals them into frames for the uplink, and keeps each frame until
/// the cloud has stored it. An input is told "accepted" only when its readings are durable (G1). All calls come from
/// one thread, on whose SynchronizationContext it was opened. It owns its file.
/// </summary>
public sealed class ReadingOutbox : IAsyncDisposable
{
    // A frame of so many readings finds room in what the file keeps in reserve, whatever they are.
    private const int ReliefReadingsMax = 1024;

    private readonly IOutboxFile _file;
    private readonly TimeProvider _time;
    private readonly OutboxState _state;
    private readonly CommitLoop _commits;
    private readonly OfferAdmission _gate;
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
        _gate = new OfferAdmission(state, _commits, options);
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

    /// <summary>All series, with those that no commit has taken yet.</summary>
    public SeriesList Series => _state.Series.Current;

    /// <summary>Ends when the outbox breaks, with the reason: all calls fail then; open the file anew.</summary>
    public Task<OutboxException> Failed => _commits.Failed;

    /// <summary>While true a commit's readings are sealed as live frames at once; critical ones always are.</summary>
    public bool LinkUp { get => _commits.LinkUp; set => _commits.LinkUp = value; }

    /// <summary>The version of frames sealed from now on, as the last answer allows; sealed ones keep theirs.</summary>
    public byte FrameVersion { get => _state.FrameVersion; set => _state.FrameVersion = value; }

    /// <summary>The frames not freed, by epoch, lane, first sequence. May be walked while frames leave.</summary>
    public IReadOnlyCollection<HeldFrame> Held => _state.Frames;

    /// <summary>
    /// Frames that were freed or forgotten since the last commit: after a crash they are here again, so a hello still
    /// names them as held.
    /// </summary>
    public IEnumerable<FrameKey> FreedNotDurably => _state.Notes.RemovedNotDurably;

    /// <summary>Readings that wait unsealed, drops that no frame covers yet included.</summary>
    public long UnsealedReadings => _state.Segments.Readings + _state.Drops.Sum(d => (long)d.Declaration.Count);

    /// <summary>The bytes that count against the quota.</summary>
    public long StoredBytes => _commits.Disk.UsedBytes;

    /// <summary>Whether readings are taken at this moment, and why not.</summary>
    public OutboxStanding Standing => _commits.Disk.Standing;

    /// <summary>Epochs no answer called complete, oldest first; last the run's own while it has one.</summary>
    public IReadOnlyList<EpochState> OpenEpochs => _state.Epochs.Open;

    /// <summary>The epochs that answers called complete.</summary>
    public IReadOnlyList<EpochLasts> CompleteEpochs => _state.Epochs.Complete;

    /// <summary>The digest of <see cref="CompleteEpochs"/>.</summary>
    public ulong CompleteDigest => _state.Epochs.CompleteDigest;

    /// <summary>The durable chain of schemas, first to last.</summary>
    public IReadOnlyList<SchemaRow> Schemas => _state.Series.Chain;

    /// <summary>Why the next frame begins a new epoch, or the last one did; null when no fork was met.</summary>
    public string? Fork { get; private set; }

    /// <summary>
    /// Loads the file. The outbox owns it from then on; when this throws, the caller still does. Throws
    /// <see cref="OutboxException"/> when what the file holds does not fit together.
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
    /// Finds or adds a series; an added one becomes durable with the next commit. Throws
    /// <see cref="ArgumentException"/> for one that no schema can carry, <see cref="InvalidOperationException"/> at
    /// <see cref="OutboxOptions.SeriesMax"/>.
    /// </summary>
    public int SeriesIndex(SeriesDefinition series) => _state.Series.IndexOf(series);

    /// <summary>The index of a series that is there already; -1 when it is not. Adds nothing.</summary>
    public int FindSeries(SeriesDefinition series) => _state.Series.Find(series);

    /// <summary>True when no series can be added any more (<see cref="OutboxOptions.SeriesMax"/>).</summary>
    public bool SeriesFull => _state.Series.IsFull;

    /// <summary>A request that was answered, durably and not longer ago than given; else null.</summary>
    public AnsweredRequest? FindRequest(UInt128 key, TimeSpan? within = null) => _state.Requests.Find(key, within);

    /// <summary>How many requests are remembered, were forgotten early since the opening; room for one more.</summary>
    public (int Remembered, long ForgottenEarly, bool Room) Requests => _state.Requests.Look(_commits.WaitingRequests);

    /// <summary>
    /// Offers readings, all or nothing; they are copied before it returns. Completes once they are durable, or refused,
    /// as while the disk is full or fails (<see cref="Standing"/>). Throws <see cref="OutboxException"/> when the
    /// outbox breaks: nothing was acknowledged then, but nobody knows whether they are durable. Cancelling ends the
    /// waiting, not the commit. They wait for others for at most <paramref name="deadline"/>,
    /// <see cref="OutboxOptions.CommitDeadline"/> where it is null or longer; critical ones are committed and sealed at
    /// once. A <paramref name="request"/> is remembered in the same commit; one without readings is not remembered.
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

        if (_gate.Refusal(readings, request) is { } refused)
        {
            return new(refused);
        }

        var wait = deadline is { } asked && asked < Options.CommitDeadline
            ? asked < TimeSpan.Zero ? TimeSpan.Zero : asked
            : Options.CommitDeadline;
        return new(_commits.OfferAsync(readings, wait, critical, request).WaitAsync(ct));
    }

    /// <summary>The frame held under a name.</summary>
    public HeldFrame? Find(FrameId id) => _state.Frames.Find(id);

    /// <summary>
    /// The bytes of a held frame. Null when they are gone. Where they turn out damaged they are declared: a frame that
    /// was surely never sent is replaced by a tombstone; any other is held without bytes from then on, and the cloud
    /// finds it stored, or lost.
    /// </summary>
    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(HeldFrame frame, CancellationToken ct)
    {
        ThrowIfBroken();
        return _bytes.ReadAsync(frame, ct);
    }

    /// <summary>
    /// Seals unsealed readings as backlog in one commit, oldest first, each frame sorted by (series, time), with at
    /// most <paramref name="readingsMax"/> readings (never over 8,192) and about <paramref name="bytesMax"/> bytes
    /// (never over 64 KiB; more only where one reading needs more). About <paramref name="framesMax"/> frames (never
    /// over 64 at once; more only where one segment needs more), one while readings are refused: what is kept in
    /// reserve has room for it. Returns how many; 0 while the disk fails. One call at a time.
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

        if (Standing.Trouble is not null)
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
            // Rolled back: the segments wait as they are. The standing says why.
            return 0;
        }
        finally
        {
            _isSealingBacklog = false;
        }
    }

    /// <summary>
    /// What a hello may promise now: the last durable W and every open epoch's durable lasts. Null before the first
    /// promise, and with more than 16 open epochs, when W stands still.
    /// </summary>
    public Promise? CurrentPromise() => _state.CurrentPromise();

    /// <summary>Notes where the log has the frame; null: that word was taken back.</summary>
    public void NoteReceipt(HeldFrame frame, Receipt? receipt)
    {
        if (!frame.Freed && frame.Receipt != receipt)
        {
            frame.Receipt = receipt;
            _state.Notes.Changed(frame);
        }
    }

    /// <summary>
    /// The frame is stored: its share joins what is freed and it leaves. False when the lane's freed runs are at their
    /// limit (<see cref="FreedLane.RunsMax"/>): it stays until gaps close.
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

    /// <summary>The frame is booked as lost and its bytes are not here: it leaves without a share.</summary>
    public void Forget(HeldFrame frame)
    {
        if (!frame.Freed)
        {
            _state.Remove(frame);
        }
    }

    /// <summary>An epoch of this outbox; null when it is not known here.</summary>
    public EpochState? FindEpoch(ulong epoch) => _state.Epochs.Find(epoch);

    /// <summary>The frames of an epoch's lane that are not freed, in order. May be walked while they leave.</summary>
    public IEnumerable<HeldFrame> HeldIn(ulong epoch, Lane lane) =>
        _state.Epochs.Find(epoch) is { } known ? _state.Frames.Of(known.Order, lane) : [];

    /// <summary>An answer names a complete epoch that this outbox never had (another card, or one put back).</summary>
    public void AdoptComplete(EpochLasts epoch)
    {
        if (_state.Epochs.Find(epoch.Epoch) is null)
        {
            _state.Notes.Changed(_state.Epochs.Adopt(epoch));
        }
    }

    /// <summary>An answer called the epoch complete. Nothing happens for the run's own and unknown ones.</summary>
    public void MarkComplete(ulong epoch, LaneLasts lasts = default) => SetComplete(epoch, true, lasts);

    /// <summary>An answer does not know the epoch as complete: it is open again.</summary>
    public void Reopen(ulong epoch) => SetComplete(epoch, false);

    /// <summary>A fork: <see cref="EndEpoch"/>. The new epoch's predecessor is the newest one there is.</summary>
    public void StartNewEpoch(string why)
    {
        Fork = why;
        EndEpoch();
    }

    /// <summary>
    /// The run's own epoch ends, and the next frame begins a new one. It is the run's own no more as soon as no commit
    /// can seal into it: the cloud may call it complete though no reading comes.
    /// </summary>
    public void EndEpoch() => _commits.EndEpoch();

    /// <summary>
    /// Puts a tombstone in the place of a frame that the cloud refused, its readings declared as Refused, and keeps the
    /// bytes in quarantine. Only for frames that surely never reached the log.
    /// </summary>
    public ValueTask QuarantineAsync(HeldFrame frame, string reason, CancellationToken ct)
    {
        ThrowIfBroken();
        return _bytes.QuarantineAsync(frame, reason, ct);
    }

    /// <summary>
    /// Commits what waits and closes the file. After <see cref="OutboxOptions.CloseTimeout"/> it gives up on a disk
    /// that hangs, and the waiting offers fail.
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
