using Telemetry.Processing.Ledger;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// Says whether a healed world has come to rest: everything accepted is settled, the agents know it, no alert rule
/// has to be run again, and every alert has left.
/// </summary>
internal static class Convergence
{
    public static bool Reached(SimulatedWorld world) =>
        world.Gateways.All(g => Reached(world, g)) && PublishedAlerts.AreComplete(world.Kafka, world.Store)
            && !AlertBooks.DueGaps(world.Store.Content).Any();

    /// <summary>
    /// True unless a life of the outbox that is no more announced what is neither settled nor booked as lost.
    /// </summary>
    public static bool IsClosed(SimulatedWorld world, GatewayMachine gateway) => gateway.PutBack.Count == 0
        || new GatewayLedger(world.Store.Content.Record(gateway.Id), 0).Epochs.Values.All(e => e.AllSettled);

    private static bool Reached(SimulatedWorld world, GatewayMachine gateway)
    {
        var record = world.Store.Content.Record(gateway.Id);
        var settled = record.Gateway is { } row ? row.Stored + row.Rejected + row.Dropped + row.Lost : 0;
        var drained = world.AgentsAreOff || gateway.IsDrained;
        if (gateway.PutBack.Count > 0)
        {
            return drained && IsClosed(world, gateway);
        }

        var accepted = gateway.Disk.Snapshot().Accepted;
        return drained && settled == accepted
            && (world.AgentsAreOff || (record.Outboxes.Sum(o => o.Accepted) == accepted
                && (record.Gateway?.Watermark ?? long.MinValue) >= world.Judge.WatermarkDue(gateway.Id)));
    }
}
