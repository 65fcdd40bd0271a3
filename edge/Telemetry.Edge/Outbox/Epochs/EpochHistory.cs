using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Epochs;

/// <summary>
/// All epochs of the outbox. The run's own epoch begins with the first frame that the run seals, and ends with the run
/// or before it (<see cref="End"/>). No run seals into an epoch of another run: an epoch that has ended stays ended,
/// and no row of the file needs to record it.
/// </summary>
internal sealed class EpochHistory
{
    private readonly List<EpochState> _all;
    private readonly Dictionary<ulong, EpochState> _byId;
    private readonly Random _random;
    private List<EpochState>? _open;
    private List<EpochLasts>? _complete;
    private ulong? _digest;

    public EpochHistory(IReadOnlyList<EpochRow> rows, Random random)
    {
        _all = [.. rows.Select(row => new EpochState(row, isOwn: false))];
        _byId = _all.ToDictionary(e => e.Epoch);
        _random = random;
    }

    /// <summary>The epoch that this run seals into; null until the next frame begins one.</summary>
    public EpochState? Own { get; private set; }

    public IReadOnlyList<EpochState> Open => _open ??= [.. _all.Where(e => !e.Complete)];

    public IReadOnlyList<EpochLasts> Complete =>
        _complete ??= [.. _all.Where(e => e.Complete).Select(e => new EpochLasts(e.Epoch, e.Sealed))];

    public ulong CompleteDigest => _digest ??= CompleteEpochs.Digest(Complete);

    public EpochState? Find(ulong epoch) => _byId.GetValueOrDefault(epoch);

    /// <summary>
    /// Makes a new epoch after the newest one. It is not part of the list before <see cref="Begin"/>.
    /// </summary>
    public EpochState Draft()
    {
        ulong id;
        do
        {
            id = _random.NextId();
        }
        while (id == Predecessor.Unknown || _byId.ContainsKey(id));

        var newest = _all.Count > 0 && _all[^1].Order > 0 ? _all[^1] : null;
        var predecessor = newest is null ? default : new Predecessor(newest.Epoch, newest.Sealed);
        FreedLane[] freed = [.. Enumerable.Repeat(FreedLane.Empty, Lanes.Count)];
        return new EpochState(
            new EpochRow(id, (newest?.Order ?? 0) + 1, predecessor, default, freed, false), isOwn: true);
    }

    /// <summary>The drafted epoch is durable and becomes the run's own.</summary>
    public void Begin(EpochState epoch)
    {
        End();
        _all.Add(Own = epoch);
        _byId.Add(epoch.Epoch, epoch);
        _open = null;
    }

    /// <summary>
    /// Nothing more is sealed into the run's own epoch. Must not be called while a commit is under way that may do so.
    /// </summary>
    public void End()
    {
        if (Own is not null)
        {
            Own.IsOwn = false;
            Own = null;
        }
    }

    /// <summary>
    /// Takes over a complete epoch that this outbox does not know: the cloud's ledger of this gateway has it, so its
    /// digest includes it. Its order is a unique number of 0 or less: it is not an epoch of this outbox, and never a
    /// predecessor.
    /// </summary>
    public EpochState Adopt(EpochLasts complete)
    {
        var order = _all.Count == 0 ? 0 : Math.Min(_all[0].Order - 1, 0);
        FreedLane[] freed = [.. Enumerable.Repeat(FreedLane.Empty, Lanes.Count)];
        var epoch = new EpochState(
            new EpochRow(complete.Epoch, order, default, complete.Lasts, freed, true), isOwn: false);
        _all.Insert(0, epoch);
        _byId.Add(epoch.Epoch, epoch);
        _complete = null;
        _digest = null;
        return epoch;
    }

    /// <summary>
    /// Returns false when nothing changes: the epoch is unknown, the run's own, or already in that state. A complete
    /// epoch takes the last sequences of the cloud's ledger, which are beyond its own if the outbox was put back, so
    /// that both sides compute the same digest.
    /// </summary>
    public bool TrySetComplete(ulong epoch, bool complete, LaneLasts lasts = default)
    {
        if (Find(epoch) is not { IsOwn: false } state
            || (state.Complete == complete && LaneLasts.Max(state.Sealed, lasts) == state.Sealed))
        {
            return false;
        }

        state.Complete = complete;
        state.Sealed = LaneLasts.Max(state.Sealed, lasts);
        _open = null;
        _complete = null;
        _digest = null;
        return true;
    }
}
