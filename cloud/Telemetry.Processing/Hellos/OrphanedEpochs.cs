using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Finds the epochs that no copy of the outbox holds any more: an older copy of the outbox was put back, or a clone was
/// removed. The sign is that the agent's hello does not name them. But a hello can arrive late: it may be older than
/// the epoch, or come from the vanished copy itself. No clock shows which came first, since clocks are set. Therefore a
/// second hello of the same process, long after the first, proves it, if nothing was received of the epoch in between.
/// <para>
/// "Long after" counts only time in which the owner listened without interruption (<see cref="ListeningClock"/>).
/// After an interruption, what was sent in the meantime is still in queues or is repeated later, in any order, so the
/// hello of one copy may be read before that of the other. Then the proof begins anew. The broker's time cannot be used
/// instead: hellos are not stored, so the broker gives them no time. Frames need no clock: the loss is booked after
/// every frame is read that was in the log when the second hello arrived, and only if none of them broke the silence
/// (<see cref="EpochLedger.IsStillOmitted"/>, <see cref="EpochLedger.IsStillShortened"/>).
/// </para>
/// </summary>
internal static class OrphanedEpochs
{
    /// <summary>
    /// How long after the first hello that does not name an epoch a second one proves it. Two hellos of a process that
    /// has ended do not arrive this far apart.
    /// </summary>
    public static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(30);

    /// <summary>The epochs that a hello, received while the owner listened, proves to be orphaned.</summary>
    public static IReadOnlyList<ulong> Of(GatewayLedger gateway, Hello hello, ListeningPeriod listening)
    {
        if (hello.Epochs.Count >= Hello.EpochsMax)
        {
            return []; // The agent has more open epochs than a hello can name.
        }

        var named = hello.Epochs.Select(e => e.Epoch).Concat((hello.Complete ?? []).Select(e => e.Epoch)).ToHashSet();
        var outboxes = new Dictionary<ulong, ulong?>();
        return
        [
            .. gateway.Epochs.Open
                .Where(e => !named.Contains(e.Epoch) && e.HeardFrom != hello.Id.Process
                    && gateway.OutboxOf(e, outboxes) == hello.Outbox
                    && e.IsOmittedAgain(hello.Id, listening, ProvenAfter))
                .Select(e => e.Epoch),
        ];
    }

    /// <summary>
    /// The epochs of which only the last sequences are orphaned. The sign is that an outbox which was put back names
    /// such an epoch and knows of fewer sequences than were announced. The same hello comes from a clone, beside which
    /// the other copy goes on, so a second one is needed here too.
    /// </summary>
    public static IReadOnlyList<ulong> TailsOf(GatewayLedger gateway, Hello hello, ListeningPeriod listening) =>
    [
        .. hello.Epochs
            .Where(told => hello.Fork.Length > 0 && !(hello.OwnIsLast && told == hello.Epochs[^1])
                && gateway.Epochs.TryGetValue(told.Epoch, out var epoch)
                && LaneLasts.Max(told.Lasts, epoch.Lasts) != told.Lasts
                && epoch.IsShortenedAgain(hello.Id, listening, ProvenAfter))
            .Select(told => told.Epoch),
    ];
}
