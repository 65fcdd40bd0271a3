using Telemetry.Model.Protocol;
using Telemetry.Processing.Ledger;

namespace Telemetry.Processing.Hellos;

/// <summary>
/// Finds the epochs of lives of an outbox that are past: an older copy of the outbox was put back, or a clone of it is
/// no more, and nobody holds anything of them. Their sign is that the agent's hello does not name them. But a hello may
/// come late: it may be older than the epoch, or of the life that is past itself. No clock says which came first, since
/// clocks are set. So a second hello of the same process proves it, long after the first, where nothing was heard of
/// the epoch in between.
/// </summary>
internal static class DeadLives
{
    /// <summary>
    /// How long after the first hello that does not name an epoch a second one proves it. Two hellos of a process that
    /// is no more do not come so long one after the other.
    /// </summary>
    public static readonly TimeSpan ProvenAfter = TimeSpan.FromSeconds(30);

    /// <summary>The epochs that a hello, which came at <paramref name="now"/>, proves to be of past lives.</summary>
    public static IReadOnlyList<ulong> Of(GatewayLedger gateway, Hello hello, TimeSpan now)
    {
        if (hello.Epochs.Count >= Hello.EpochsMax)
        {
            return []; // It has more open ones than it can name.
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
}
