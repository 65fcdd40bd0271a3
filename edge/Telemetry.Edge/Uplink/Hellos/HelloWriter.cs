using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Epochs;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Uplink.Hellos;

/// <summary>Writes hellos from the state of the outbox.</summary>
internal static class HelloWriter
{
    /// <summary>A short hello: promise and accepted total.</summary>
    public static Hello Short(ReadingOutbox outbox, HelloId id, long nowMicros) => new()
    {
        Id = id,
        Outbox = outbox.OutboxId,
        Accepted = outbox.Accepted,
        Promise = outbox.CurrentPromise(),
        ClockMicros = nowMicros,
        ClockSynchronised = true,
    };

    /// <summary>
    /// A full hello. Frames freed since the last commit count as held, because after a crash they are here again.
    /// </summary>
    public static Hello Full(
        ReadingOutbox outbox, HelloId id, long nowMicros, byte frameVersion, IReadOnlyList<SchemaId> schemas,
        bool listComplete, string fork)
    {
        var soft = outbox.FreedNotDurably.ToLookup(key => (key.Epoch, key.Lane), key => key.Range);
        var epochs = outbox.OpenEpochs.TakeLast(Hello.EpochsMax).ToArray();
        return Short(outbox, id, nowMicros) with
        {
            Full = true,
            FrameVersion = frameVersion,
            OwnIsLast = epochs.Length > 0 && epochs[^1].IsOwn,
            Epochs = [.. epochs.Select(epoch => new HelloEpoch(epoch.Epoch, PredecessorOf(epoch),
            [
                Told(outbox, epoch, Lane.Critical, soft[(epoch.Epoch, Lane.Critical)]),
                Told(outbox, epoch, Lane.Live, soft[(epoch.Epoch, Lane.Live)]),
                Told(outbox, epoch, Lane.Backlog, soft[(epoch.Epoch, Lane.Backlog)]),
            ]))],
            Schemas = schemas,
            Complete = listComplete ? [.. outbox.CompleteEpochs.TakeLast(Hello.CompleteMax)] : null,
            Fork = fork,
        };
    }

    /// <summary>
    /// An epoch taken over from the cloud (order 0 or less) belongs to another outbox; its predecessor is not known
    /// here.
    /// </summary>
    private static Predecessor PredecessorOf(EpochState epoch) =>
        epoch.Order > 0 ? epoch.Predecessor : new Predecessor(Predecessor.Unknown, default);

    private static HelloLane Told(ReadingOutbox outbox, EpochState epoch, Lane lane, IEnumerable<SequenceRange> soft)
    {
        var held = new List<SequenceRange>();
        var ranges = outbox.HeldIn(epoch.Epoch, lane).Where(f => f.Held).Select(f => f.Key.Range);
        foreach (var range in ranges.Concat(soft).OrderBy(r => r.First))
        {
            if (held.Count > 0 && held[^1].Last + 1 == range.First)
            {
                held[^1] = held[^1] with { Last = range.Last };
            }
            else if (held.Count == Hello.HeldMax)
            {
                return new HelloLane(epoch.Sealed[lane], held[^1].Last, [.. held]);
            }
            else
            {
                held.Add(range);
            }
        }

        return new HelloLane(epoch.Sealed[lane], epoch.Sealed[lane], [.. held]);
    }
}
