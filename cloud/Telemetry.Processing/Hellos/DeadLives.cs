using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Finds the epochs of an outbox copy that no longer exists: an older copy of the outbox was put back, or a clone was
/// removed, so that nobody holds any frame of these epochs. The sign is that the agent's hello does not name them. But
/// a hello can arrive late: it may be older than the epoch, or come from the vanished copy itself. No clock shows which
/// came first, since clocks are set. Therefore a second hello of the same process, long after the first, proves it, if
/// nothing was received of the epoch in between.
/// </summary>
internal static class DeadLives
{
    /// <summary>
    /// How long after the first hello that does not name an epoch a second one proves it. Two hellos of a process that
    /// has ended do not arrive this far apart.
    /// </summary>
    public static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(30);

    /// <summary>The epochs that a hello received at <paramref name="now"/> proves to be of vanished copies.</summary>
    public static IReadOnlyList<ulong> Of(GatewayLedger gateway, Hello hello, TimeSpan now)
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
                    && e.MissedAgainBy(hello.Id, now, ProvenAfter))
                .Select(e => e.Epoch),
        ];
    }

    /// <summary>
    /// The epochs whose last sequences vanished with a copy of the outbox. The sign is that an outbox which was put
    /// back names such an epoch and knows of fewer sequences than were announced. The same hello comes from a clone,
    /// beside which the other copy goes on, so a second one is needed here too.
    /// </summary>
    public static IReadOnlyList<ulong> OutrunOf(GatewayLedger gateway, Hello hello, TimeSpan now) =>
    [
        .. hello.Epochs
            .Where(told => hello.Fork.Length > 0 && !(hello.OwnIsLast && told == hello.Epochs[^1])
                && gateway.Epochs.TryGetValue(told.Epoch, out var epoch)
                && LaneLasts.Max(told.Lasts, epoch.Lasts) != told.Lasts
                && epoch.OutrunAgainFor(hello.Id, now, ProvenAfter))
            .Select(told => told.Epoch),
    ];
}
