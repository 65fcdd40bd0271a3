using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Commits;

/// <summary>One commit, and what the state takes over after it is durable.</summary>
internal sealed class CommitDraft
{
    public required OutboxCommit Commit { get; init; }

    /// <summary>The epoch that frames were sealed into, perhaps a new one; null when none were sealed.</summary>
    public EpochState? Epoch { get; init; }

    /// <summary>The last sequences of that epoch after these frames.</summary>
    public LaneLasts Lasts { get; init; }

    /// <summary>The new frames.</summary>
    public IReadOnlyList<FrameRow> Sealed { get; init; } = [];

    /// <summary>Tombstones for older frames.</summary>
    public IReadOnlyList<FrameReplacement> Replacements { get; init; } = [];
}
