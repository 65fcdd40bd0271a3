using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Processing.Partitions;

/// <summary>
/// A hello that waits. Sequences that it shows as sealed and no longer held, and that are not settled, are booked as
/// lost only after the position has passed both streams' ends as read after that hello.
/// </summary>
internal sealed record PendingLoss(Hello Hello, StreamState Live, StreamState Backlog)
{
    /// <summary>The epochs that no copy of the outbox holds, as found when the hello was taken.</summary>
    public IReadOnlyList<ulong> Orphaned { get; init; } = [];

    /// <summary>The epochs whose last sequences no copy holds, as found when the hello was taken.</summary>
    public IReadOnlyList<ulong> OrphanedTails { get; init; } = [];

    /// <summary>True when every message that was in the log at that time has been read.</summary>
    public bool Due(StreamPosition live, StreamPosition backlog) => Passed(live, Live) && Passed(backlog, Backlog);

    /// <summary>True when a stream was created again since its end was read: the ends must be read again.</summary>
    public bool Outdated(StreamPosition live, StreamPosition backlog) =>
        live.StreamCreatedNanos != Live.CreatedNanos || backlog.StreamCreatedNanos != Backlog.CreatedNanos;

    /// <summary>Books the loss. Returns the epochs in which something was booked.</summary>
    public IReadOnlyCollection<EpochLedger> Book(GatewayLedger gateway)
    {
        var touched = new HashSet<EpochLedger>();
        foreach (var told in Hello.Epochs)
        {
            if (gateway.Epoch(told.Epoch) is not { } epoch)
            {
                continue;
            }

            // The transaction that learnt it from this hello may have failed.
            gateway.Announce(epoch, told.Lasts);
            var orphanedTail = OrphanedTails.Contains(told.Epoch) && epoch.IsStillShortened(Hello.Id);
            for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
            {
                var at = 1L;
                foreach (var held in told.Lanes[(int)lane].Held)
                {
                    Book(gateway, epoch, lane, new SequenceRange(at, held.First - 1), touched);
                    at = held.Last + 1;
                }

                var known = told.Lanes[(int)lane];
                var last = orphanedTail && known.ListedTo == known.LastSealed ? epoch.Lasts[lane] : known.ListedTo;
                Book(gateway, epoch, lane, new SequenceRange(at, last), touched);
            }
        }

        BookOrphaned(gateway, touched);
        return touched;
    }

    private void BookOrphaned(GatewayLedger gateway, HashSet<EpochLedger> touched)
    {
        foreach (var orphaned in Orphaned)
        {
            if (!gateway.Epochs.TryGetValue(orphaned, out var epoch) || !epoch.IsStillOmitted(Hello.Id))
            {
                continue; // The owner's memory was loaded again, or something of the epoch arrived after all.
            }

            for (var lane = Lane.Critical; lane <= Lane.Backlog; lane++)
            {
                Book(gateway, epoch, lane, new SequenceRange(1, epoch.Lasts[lane]), touched);
            }
        }

        foreach (var epoch in touched)
        {
            gateway.Touch(epoch);
        }
    }

    private static void Book(
        GatewayLedger gateway, EpochLedger epoch, Lane lane, SequenceRange range, HashSet<EpochLedger> touched)
    {
        if (!epoch.Complete && range.Count > 0 && epoch[lane].BookLost(range) is > 0 and var lost)
        {
            gateway.Count(lost: lost);
            touched.Add(epoch);
        }
    }

    private static bool Passed(StreamPosition position, StreamState end) =>
        position.StreamCreatedNanos == end.CreatedNanos && position.Sequence >= end.Last;
}
