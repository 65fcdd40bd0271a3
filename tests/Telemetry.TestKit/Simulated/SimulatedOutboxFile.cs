using Telemetry.Edge.Outbox;
using Telemetry.Model.Identity;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// A disk with one outbox file on it. Committed states are immutable snapshots, so that an older one can be put back. A
/// power cut loses the commit under way or, as a seed decides, keeps it although nobody was told: its outcome is
/// unknown. A disk can also be full, read-only or failing, call by call (<see cref="CommitFault"/>,
/// <see cref="ReadFault"/>, <see cref="CapacityBytes"/>). Used on one thread.
/// </summary>
public sealed class SimulatedOutboxDisk(Random random)
{
    private OutboxSnapshot _state = new() { OutboxId = (ulong)random.NextInt64(1, long.MaxValue) };
    private OutboxSnapshot? _underWay;
    private OutboxSnapshot? _undoneByError;
    private OutboxCommit? _commitUnderWay;
    private OutboxCommit? _commitUndone;
    private SimulatedOutboxFile? _open;
    private int _failures;
    private bool _failuresHappenAnyway;

    /// <summary>Awaited by each commit before it is durable; null: at once.</summary>
    public Func<ValueTask>? BeforeDurable { get; set; }

    /// <summary>Awaited by each commit after it is durable and before the caller is told; null: at once.</summary>
    public Func<ValueTask>? AfterDurable { get; set; }

    /// <summary>Awaited by each read; null: at once.</summary>
    public Func<ValueTask>? BeforeRead { get; set; }

    /// <summary>
    /// Asked by each commit; a fault makes it fail, rolled back. After <see cref="OutboxFault.Io"/> a power cut before
    /// the next durable commit may bring it back, by chance. Null: none fails.
    /// </summary>
    public Func<OutboxFault?>? CommitFault { get; set; }

    /// <summary>Asked by each read of a frame or segment; a fault makes it fail. Null: none fails.</summary>
    public Func<OutboxFault?>? ReadFault { get; set; }

    /// <summary>
    /// The bytes of segments and frames that the disk has room for. A commit that brings readings and would pass it
    /// fails as full; one that brings none may.
    /// </summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>What the file takes of the disk.</summary>
    public OutboxSpace Space => new(_state.StoredBytes, _state.StoredBytes < CapacityBytes);

    /// <summary>Called when a commit becomes durable, whether or not anybody is told. For judges.</summary>
    public Action<OutboxCommit> Durable { get; set; } = _ => { };

    /// <summary>How many commits are durable.</summary>
    public int Commits { get; private set; }

    /// <summary>The last commit that became durable.</summary>
    public OutboxCommit? LastCommit { get; private set; }

    /// <summary>Opens the file. The one that was open before is of a dead process: all its calls throw.</summary>
    public IOutboxFile Open()
    {
        PowerCut();
        return _open = new SimulatedOutboxFile(this);
    }

    /// <summary>What is durable now.</summary>
    public OutboxSnapshot Snapshot() => _state;

    /// <summary>Puts an older copy back; the open file's calls throw from now on.</summary>
    public void Restore(OutboxSnapshot snapshot)
    {
        PowerCut();
        _state = snapshot;
    }

    /// <summary>
    /// The power goes: the open file's calls throw from now on; a commit under way is kept or lost, by chance.
    /// </summary>
    public void PowerCut()
    {
        if (_underWay is not null && random.Next(2) == 0)
        {
            _state = _underWay;
            Durable(_commitUnderWay!);
        }

        else if (_undoneByError is not null && random.Next(2) == 0)
        {
            _state = _undoneByError;
            Durable(_commitUndone!);
        }

        _underWay = null;
        _undoneByError = null;
        _open = null;
    }

    /// <summary>
    /// The next commits throw; they become durable all the same where <paramref name="happenAnyway"/> says so.
    /// </summary>
    public void FailCommits(int count, bool happenAnyway)
    {
        _failures = count;
        _failuresHappenAnyway = happenAnyway;
    }

    /// <summary>The frame's bytes rot: reading them gives null from now on.</summary>
    public void DamageFrame(FrameId id) =>
        _state = _state with { Frames = _state.Frames.SetItem(id, _state.Frames[id] with { Data = default }) };

    /// <summary>The segment's bytes rot, on request its counts too.</summary>
    public void DamageSegment(long id, bool countsToo)
    {
        var row = _state.Segments[id];
        row = row with { Data = default, Counts = countsToo ? default : row.Counts };
        _state = _state with { Segments = _state.Segments.SetItem(id, row) };
    }

    /// <summary>Puts other bytes in a segment's place, as an earlier agent would have written them.</summary>
    public void RewriteSegment(long id, Func<SegmentRow, byte[]> rewrite)
    {
        var row = _state.Segments[id];
        var data = rewrite(row);
        _state = _state with { Segments = _state.Segments.SetItem(id, row with { Data = data, Bytes = data.Length }) };
    }

    internal bool IsOpen(SimulatedOutboxFile file) => _open == file;

    internal void Close(SimulatedOutboxFile file) => _open = _open == file ? null : _open;

    internal async ValueTask CommitAsync(SimulatedOutboxFile file, OutboxCommit commit)
    {
        if (_underWay is not null)
        {
            throw new InvalidOperationException("a commit is under way already");
        }

        var next = _state.With(commit);
        if (FaultOf(commit, next) is { } fault)
        {
            await WaitAsync(file, BeforeDurable);
            (_undoneByError, _commitUndone) =
                fault == OutboxFault.Io ? (next, commit) : (_undoneByError, _commitUndone);
            throw new OutboxException($"simulated disk: {fault} at a commit", fault, isUndone: true);
        }

        var fails = _failures > 0;
        _failures -= fails ? 1 : 0;
        if (!fails || _failuresHappenAnyway)
        {
            (_underWay, _commitUnderWay) = (next, commit);
        }

        await WaitAsync(file, BeforeDurable);
        _underWay = null;
        if (fails && !_failuresHappenAnyway)
        {
            throw new IOException("simulated disk: the commit failed");
        }

        _state = next;
        _undoneByError = null;
        LastCommit = commit;
        Commits++;
        Durable(commit);
        await WaitAsync(file, AfterDurable);
        if (fails)
        {
            throw new IOException("simulated disk: the commit's outcome is unknown");
        }
    }

    internal async ValueTask<OutboxSnapshot> ClaimAsync(SimulatedOutboxFile file, GatewayId gateway)
    {
        var state = await ReadAsync(file);
        return state.Gateway is { } owner && owner != gateway
            ? throw OutboxException.OfAnotherGateway("the simulated outbox", owner.Value, gateway)
            : _state = state with { Gateway = gateway };
    }

    internal async ValueTask<OutboxSnapshot> ReadAsync(SimulatedOutboxFile file)
    {
        await WaitAsync(file, BeforeRead);
        return _state;
    }

    internal async ValueTask<OutboxSnapshot> ReadBytesAsync(SimulatedOutboxFile file)
    {
        var state = await ReadAsync(file);
        return ReadFault?.Invoke() is { } fault
            ? throw new OutboxException($"simulated disk: {fault} at a read", fault, isUndone: true)
            : state;
    }

    private OutboxFault? FaultOf(OutboxCommit commit, OutboxSnapshot next) =>
        CommitFault?.Invoke()
        ?? (commit.BringsReadings && next.StoredBytes > CapacityBytes ? OutboxFault.Full : null);

    private static async ValueTask WaitAsync(SimulatedOutboxFile file, Func<ValueTask>? wait)
    {
        file.ThrowIfGone();
        if (wait is not null)
        {
            await wait();
            file.ThrowIfGone();
        }
    }
}

/// <summary>
/// One opening of the file on a <see cref="SimulatedOutboxDisk"/>; closing it keeps what is committed.
/// </summary>
public sealed class SimulatedOutboxFile : IOutboxFile
{
    private readonly SimulatedOutboxDisk _disk;

    internal SimulatedOutboxFile(SimulatedOutboxDisk disk) => _disk = disk;

    public OutboxSpace Space => _disk.Space;

    public async ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken) =>
        (await _disk.ClaimAsync(this, gateway)).Image();

    public ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        cancellationToken.ThrowIfCancellationRequested();
        return _disk.CommitAsync(this, commit);
    }

    public async ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken) =>
        (await _disk.ReadBytesAsync(this)).Frames.TryGetValue(frame, out var row)
            ? Bytes(row.Data, row.Counts) : default;

    public async ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken) =>
        (await _disk.ReadBytesAsync(this)).Segments.TryGetValue(segment, out var row)
            ? Bytes(row.Data, row.Counts) : default;

    public async ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken) =>
        (await _disk.ReadAsync(this)).Quarantine;

    public ValueTask DisposeAsync()
    {
        _disk.Close(this);
        return ValueTask.CompletedTask;
    }

    internal void ThrowIfGone()
    {
        if (!_disk.IsOpen(this))
        {
            throw new OutboxException("simulated disk: this opening of the file is gone", isTransient: true);
        }
    }

    private static StoredBytes Bytes(ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> counts) =>
        new(data.IsEmpty ? null : data.ToArray(), counts.IsEmpty ? null : counts.ToArray());
}
