using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Edge.Outbox.Quota;
using Telemetry.Model.Readings;
using Telemetry.Runtime;

namespace Telemetry.Edge.Outbox.Commits;

/// <summary>
/// Group commit: readings gather until the earliest deadline of a waiting offer, until they fill a segment by count or
/// text size (if their columns take more, a commit makes several segments), or until something must not wait (critical
/// readings, backlog to seal, a tombstone). There is one commit at a time; readings that arrive meanwhile gather for
/// the next. The order of durability: commit, then the state, then the uplink learns of the frames, then offers are
/// acknowledged. A commit that was rolled back refuses its offers, and new ones for a while; draining the outbox
/// continues. A commit with an unknown outcome ends the loop for good. Used on one thread.
/// </summary>
internal sealed class CommitLoop : IDisposable
{
    private readonly IOutboxFile _file;
    private readonly OutboxState _state;
    private readonly OutboxOptions _options;
    private readonly TimeProvider _time;
    private readonly CommitBuilder _builder;
    private readonly SynchronizationContext? _context = SynchronizationContext.Current;
    private readonly ITimer _timer;
    private readonly TaskCompletionSource<OutboxException> _failed = new();
    private WaitingReadings _waiting = new();
    private WaitingReadings _committing = new();
    private BacklogPlan? _backlog;
    private List<FrameReplacement> _replacements = [];
    private Task _running = Task.CompletedTask;
    private bool _isRunning;
    private bool _flush;
    private long _idleAt;
    private long _armedFor = long.MaxValue;
    private EpochState? _sealingInto;
    private bool _endsBehindCommit;

    public CommitLoop(IOutboxFile file, OutboxState state, OutboxOptions options, TimeProvider time)
    {
        _file = file;
        _state = state;
        _options = options;
        _time = time;
        _builder = new CommitBuilder(state, options, time);
        Disk = new DiskWatch(file, state, options, time);
        _timer = time.CreateTimer(OnTimer, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _idleAt = After(options.IdleCommitInterval);
        Arm();
    }

    /// <summary>A frame is durable; raised before the offers of its commit complete.</summary>
    public event Action<HeldFrame>? Sealed;

    public bool LinkUp { get; set; }

    public OutboxException? Failure { get; private set; }

    public Task<OutboxException> Failed => _failed.Task;

    /// <summary>The state of the disk and the quota.</summary>
    public DiskWatch Disk { get; }

    /// <summary>Readings that wait for a commit or are part of one under way.</summary>
    public int WaitingReadings => _waiting.Count + _committing.Count;

    public long WaitingBytes => _waiting.Bytes + _committing.Bytes;

    /// <summary>Requests that wait for a commit or are part of one under way.</summary>
    public int WaitingRequests => _waiting.Requests.Count + _committing.Requests.Count;

    public Task<OfferOutcome> OfferAsync(
        ReadingBatch readings, TimeSpan deadline, bool critical, AnsweredRequest? request)
    {
        var offer = _waiting.Add(
            readings, _state.Series.Types, critical, _time.GetTimestamp(), After(deadline), request);
        Kick();
        return offer;
    }

    /// <summary>Seals backlog in the next commit, which begins at once.</summary>
    public Task SealAsync(BacklogPlan plan)
    {
        _backlog = plan;
        Kick();
        return plan.Done.Task;
    }

    /// <summary>Replaces a frame by a tombstone in the next commit, which begins at once.</summary>
    public Task ReplaceAsync(FrameReplacement replacement)
    {
        _replacements.Add(replacement);
        Kick();
        return replacement.Done.Task;
    }

    /// <summary>
    /// Makes the next frame begin a new epoch. The run's own epoch ends at once, or after the commit under way if that
    /// seals into it: nobody may learn that the epoch has ended while frames of it can still become durable.
    /// </summary>
    public void EndEpoch()
    {
        _endsBehindCommit = _sealingInto is not null && _sealingInto == _state.Epochs.Own;
        if (!_endsBehindCommit)
        {
            _state.Epochs.End();
        }
    }

    /// <summary>
    /// Commits everything that waits, regardless of its deadline. Completes when that is durable or the loop has
    /// failed.
    /// </summary>
    public Task FlushAsync()
    {
        _flush = true;
        Kick();
        return _running;
    }

    /// <summary>An offer was refused because the quota is reached.</summary>
    public void QuotaReached(int readings)
    {
        Disk.QuotaReached(readings);
        Arm();
    }

    /// <summary>Stops all commits; waiting callers fail.</summary>
    public void Fail(OutboxException failure)
    {
        failure = Failure ??= failure;
        _timer.Dispose();
        _committing.Fail(failure);
        _waiting.Fail(failure);
        _backlog?.Done.TrySetException(failure);
        foreach (var replacement in _replacements)
        {
            replacement.Done.TrySetException(failure);
        }

        _failed.TrySetResult(failure);
    }

    public void Dispose() => _timer.Dispose();

    private bool IsDue()
    {
        var now = _time.GetTimestamp();
        if (Failure is not null || (Disk.Rests && !_flush))
        {
            return false;
        }

        return (_waiting.DueAt <= now
            || _waiting.Count >= _options.SegmentReadingsMax
            || _waiting.TextBytes >= _options.SegmentBytesMax
            || _waiting.Critical.Batch.Count > 0
            || _backlog is not null
            || _replacements.Count > 0
            || (_flush && (_waiting.Count > 0 || _state.Notes.Any))
            || (Disk.ReliefAt <= now && _state.Notes.Any)
            || (_idleAt <= now && _state.Accepted > 0));
    }

    private void Kick()
    {
        if (!_isRunning && IsDue())
        {
            _running = RunAsync();
        }

        Arm();
    }

    private async Task RunAsync()
    {
        _isRunning = true;
        try
        {
            while (IsDue())
            {
                await CommitAsync();
            }
        }
        catch (Exception e)
        {
            Fail(e as OutboxException ?? new OutboxException(
                $"a commit of the outbox failed, open it again: {e.Message}", isTransient: true, e));
        }
        finally
        {
            _isRunning = false;
            _flush = false;
        }

        Arm();
    }

    private async Task CommitAsync()
    {
        (_waiting, _committing) = (_committing, _waiting);
        var since = _time.GetTimestamp();
        var backlog = _backlog;
        var replacements = _replacements;
        CommitDraft draft = null!;
        try
        {
            draft = _builder.Make(_committing, backlog, replacements, LinkUp);
            _sealingInto = draft.Epoch;
            _backlog = null;
            _replacements = [];
            await _file.CommitAsync(draft.Commit, CancellationToken.None);
            CrashPoint.Reach("after-outbox-commit");
            if (Failure is not null)
            {
                throw Failure;
            }
        }
        catch (OutboxException e) when (e.IsUndone && Failure is null)
        {
            Undo(draft, backlog, replacements, e);
            return;
        }
        catch
        {
            // Already taken from the loop's fields, so that Fail does not know of them.
            _backlog = backlog;
            _replacements.AddRange(replacements.Except(_replacements));
            throw;
        }

        OutboxTracing.Committed(_state.Gateway, draft.Sealed, _committing.Since, since, _time);
        Acknowledge(draft, backlog, replacements);
    }

    private void Acknowledge(CommitDraft draft, BacklogPlan? backlog, List<FrameReplacement> replacements)
    {
        var frames = _state.Apply(draft);
        CommitEnded();
        _idleAt = After(_options.IdleCommitInterval);
        Disk.Committed(draft.Commit.BringsReadings);
        foreach (var frame in frames)
        {
            Sealed?.Invoke(frame);
        }

        _committing.Complete(OfferOutcome.Accepted);
        backlog?.Done.TrySetResult();
        foreach (var replacement in replacements)
        {
            replacement.Done.TrySetResult();
        }
    }

    /// <summary>
    /// The commit was rolled back: its readings are refused, and everything else that it had taken waits for the next
    /// one.
    /// </summary>
    private void Undo(
        CommitDraft draft, BacklogPlan? backlog, List<FrameReplacement> replacements, OutboxException cause)
    {
        _state.Undo(draft);
        CommitEnded();
        _replacements.InsertRange(0, replacements);
        _flush = false;
        _idleAt = After(_options.IdleCommitInterval);
        Disk.Undone(cause, draft.Commit.BringsReadings, _committing.Count + _waiting.Count);
        var refusal = cause.Fault == OutboxFault.Io ? OfferRefusal.Unknown : OfferRefusal.Disk;
        _committing.Complete(OfferOutcome.Refused(refusal, Disk.Standing.Problem!));
        _waiting.Complete(OfferOutcome.Refused(OfferRefusal.Disk, Disk.Standing.Problem!));
        backlog?.Done.TrySetException(cause);
    }

    /// <summary>Not called when the outcome of the commit is unknown: its frames may be durable.</summary>
    private void CommitEnded()
    {
        _sealingInto = null;
        if (_endsBehindCommit)
        {
            _endsBehindCommit = false;
            _state.Epochs.End();
        }
    }

    private long After(TimeSpan delay) => _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);

    private void Arm()
    {
        if (Failure is not null || _isRunning)
        {
            return;
        }

        var due = Math.Min(Math.Min(_waiting.DueAt, _idleAt), Disk.ReliefAt);
        due = Math.Max(_replacements.Count > 0 ? 0 : due, Disk.RestsUntil);
        if (due == _armedFor)
        {
            return;
        }

        _armedFor = due;
        var left = _time.GetElapsedTime(_time.GetTimestamp(), due);
        var rounded = TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(left.TotalMilliseconds)));
        _timer.Change(rounded, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer(object? state)
    {
        // A system timer fires on a thread of its own, but the outbox may only be used on the thread that opened it.
        if (_context is null)
        {
            OnDue();
        }
        else
        {
            _context.Post(static loop => ((CommitLoop)loop!).OnDue(), this);
        }
    }

    private void OnDue()
    {
        _armedFor = long.MaxValue;
        if (_idleAt <= _time.GetTimestamp() && _state.Accepted == 0)
        {
            _idleAt = After(_options.IdleCommitInterval);
        }

        if (Disk.ReliefAt <= _time.GetTimestamp() && !_state.Notes.Any)
        {
            Disk.NothingToRelieve();
        }

        Kick();
    }
}
