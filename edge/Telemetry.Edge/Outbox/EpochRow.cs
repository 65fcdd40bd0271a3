using Telemetry.Model.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox;

/// <summary>A run of freed sequences and the sum of its frames' shares (<see cref="FrameKey.Share"/>).</summary>
public readonly record struct FreedRun(SequenceRange Range, ulong Share);

/// <summary>
/// The freed sequences of one lane of an epoch: ascending runs, with adjacent ones merged. At <see cref="RunsMax"/> no
/// sequence outside of the runs is freed until gaps close.
/// </summary>
public sealed record FreedLane(IReadOnlyList<FreedRun> Runs)
{
    /// <summary>The most runs that are kept.</summary>
    public const int RunsMax = 1024;

    /// <summary>Nothing is freed.</summary>
    public static readonly FreedLane Empty = new([]);
}

/// <summary>
/// An epoch as the outbox knows it. <paramref name="Freed"/> has an entry for each lane. A complete epoch keeps all of
/// it, because an answer may open the epoch again. <paramref name="Order"/> counts the epochs of this outbox from 1;
/// complete epochs that were taken over from the cloud have 0 or less.
/// </summary>
public sealed record EpochRow(
    ulong Epoch, long Order, Predecessor Predecessor, LaneLasts Sealed, FreedLane[] Freed, bool Complete);
