using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Epochs;

/// <summary>
/// An epoch of this outbox: its durably sealed sequences, and which of them are freed. Changed only by the outbox.
/// </summary>
public sealed class EpochState
{
    private readonly FreedRuns[] _freed;

    internal EpochState(EpochRow row, bool isOwn)
    {
        Epoch = row.Epoch;
        Order = row.Order;
        Predecessor = row.Predecessor;
        Sealed = row.Sealed;
        Complete = row.Complete;
        IsOwn = isOwn;
        _freed = Array.ConvertAll(row.Freed, freed => new FreedRuns(freed));
    }

    /// <summary>Its id.</summary>
    public ulong Epoch { get; }

    /// <summary>Counts epochs of this outbox from 1.</summary>
    public long Order { get; }

    /// <summary>The epoch before it, and the last sequences sealed in that one.</summary>
    public Predecessor Predecessor { get; }

    /// <summary>The last durably sealed sequence of each lane.</summary>
    public LaneLasts Sealed { get; internal set; }

    /// <summary>True when an answer called it complete.</summary>
    public bool Complete { get; internal set; }

    /// <summary>True for the epoch that this run seals into.</summary>
    public bool IsOwn { get; internal set; }

    /// <summary>The freed sequences of a lane: a snapshot that does not change later.</summary>
    public FreedLane Freed(Lane lane) => _freed[(int)lane].Snapshot();

    internal bool TryFree(FrameKey key, ulong share) => _freed[(int)key.Lane].TryAdd(key.Range, share);

    internal EpochRow Row() =>
        new(Epoch, Order, Predecessor, Sealed, Array.ConvertAll(_freed, f => f.Snapshot()), Complete);
}
