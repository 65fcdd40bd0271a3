using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Simulation.Checking.Online;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// The watermark of one gateway as its definition says it, worked out anew from the whole database at each question:
/// the greatest W of a promise whose sequences are all settled, and whose digest is that of the complete epochs.
/// </summary>
internal sealed class WatermarkReference(GatewayId gateway, StoreIndex index)
{
    private readonly Dictionary<Promise, TimeSpan> _made = [];

    /// <summary>The agent made a promise.</summary>
    public void Made(Promise promise, TimeSpan now) => _made.TryAdd(promise, now);

    /// <summary>True when a promise of this W or of a greater one counts in a database.</summary>
    public bool Reaches(long w, SimulatedDatabase database)
    {
        var digest = Digest(database);
        return _made.Keys.Where(p => p.W >= w).OrderBy(p => p.W).Any(p => Counts(p, digest, database));
    }

    /// <summary>
    /// The greatest W that counts in a database, each capped at <paramref name="receivedAt"/> of when it was made;
    /// the least number there is when none counts.
    /// </summary>
    public long Greatest(SimulatedDatabase database, Func<TimeSpan, long> receivedAt)
    {
        var digest = Digest(database);
        return _made.Select(m => (W: Math.Min(m.Key.W, receivedAt(m.Value)), Promise: m.Key))
            .OrderByDescending(m => m.W).Where(m => Counts(m.Promise, digest, database))
            .Select(m => m.W).FirstOrDefault(long.MinValue);
    }

    private ulong Digest(SimulatedDatabase database) => CompleteEpochs.Digest(database.Epochs.Values
        .Where(e => e.Gateway == gateway && e.Complete).Select(e => new EpochLasts(e.Epoch, e.Lasts)));

    private bool Counts(Promise promise, ulong digest, SimulatedDatabase database) =>
        promise.Digest == digest && Array.TrueForAll(promise.Epochs, e => IsSettled(e, database));

    private bool IsSettled(EpochLasts epoch, SimulatedDatabase database)
    {
        for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
        {
            var range = new SequenceRange(1, epoch.Lasts[lane]);
            if (range.Count > 0 && index.Covered(gateway, epoch.Epoch, lane, range).Count
                + Lost(epoch.Epoch, lane, range, database) < range.Count)
            {
                return false;
            }
        }

        return true;
    }

    private long Lost(ulong epoch, Lane lane, SequenceRange range, SimulatedDatabase database) => database.Runs.Values
        .Where(r => r.Gateway == gateway && r.Epoch == epoch && r.Lane == lane && r.Run.State == RunState.Lost
            && r.Run.Range.Overlaps(range))
        .Sum(r => Math.Min(r.Run.Range.Last, range.Last) - r.Run.Range.First + 1);
}
