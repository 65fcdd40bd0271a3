using Telemetry.Model.Identity;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>What the judges know of one gateway, whichever agent of it lives.</summary>
internal sealed class GatewayFacts(GatewayId id)
{
    public GatewayId Id => id;

    public SealedFrames Sealed { get; } = new(id);

    /// <summary>What was attempted, and which of it the database refuses.</summary>
    public Journal Journal { get; set; } = new();

    public LossExcuses Excuses { get; } = new();

    /// <summary>Readings that were unsealed in a copy of the outbox that came to life.</summary>
    public HashSet<ulong> Copied { get; } = [];

    /// <summary>
    /// True for a reading that may be stored twice: two lives of the outbox had it unsealed, or one of them does not
    /// remember its request.
    /// </summary>
    public bool MayBeDoubled(ulong reading) =>
        IsForked && (Copied.Contains(reading) || Journal.Keyed.Contains(reading));

    /// <summary>True once two lives of one outbox existed, one after the other or at once.</summary>
    public bool IsForked { get; set; }

    /// <summary>How many sequences of a range lie in frames that may be lost.</summary>
    public long MayBeLost(ulong epoch, Lane lane, SequenceRange range) => Sealed.All
        .Where(f => f.Key.Epoch == epoch && f.Key.Lane == lane && f.Key.Range.Overlaps(range)
            && Excuses.MayBeLost(f.Key))
        .Sum(f => Math.Min(f.Key.Last, range.Last) - Math.Max(f.Key.First, range.First) + 1);

    /// <summary>A frame of a range that may not be lost, to be named; null when none is known.</summary>
    public FrameKey? NotExcused(ulong epoch, Lane lane, SequenceRange range) => Sealed.All
        .Where(f => f.Key.Epoch == epoch && f.Key.Lane == lane && f.Key.Range.Overlaps(range)
            && !Excuses.MayBeLost(f.Key))
        .OrderBy(f => f.Key.First).FirstOrDefault()?.Key;
}
