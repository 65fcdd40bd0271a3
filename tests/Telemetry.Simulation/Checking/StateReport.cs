using System.Globalization;
using System.Text;
using Telemetry.Simulation.Worlds;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>Where everything stands, for whoever looks at a seed that failed.</summary>
internal static class StateReport
{
    private const int FramesMax = 12;

    public static string Of(SimulatedWorld world)
    {
        var text = new StringBuilder();
        foreach (var partition in world.Store.Content.Partitions.OrderBy(p => p.Key))
        {
            text.AppendLine(partition.Value.ToString());
        }

        foreach (var gateway in world.Gateways)
        {
            Append(text, world, gateway);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, SimulatedWorld world, GatewayMachine gateway)
    {
        var record = world.Store.Content.Record(gateway.Id);
        var outbox = gateway.Outbox;
        text.Append(
            CultureInfo.InvariantCulture, $"{gateway.Id} partition {gateway.Id.Partition(SimulatedWorld.Partitions)}: ")
            .Append(CultureInfo.InvariantCulture, $"accepted {gateway.Disk.Snapshot().Accepted}, ")
            .Append(CultureInfo.InvariantCulture, $"unsealed {outbox?.UnsealedReadings}, held {outbox?.Held.Count}, ")
            .AppendLine(CultureInfo.InvariantCulture, $"told {string.Join(',', record.Outboxes)}, {record.Gateway}");
        foreach (var frame in (outbox?.Held ?? []).Take(FramesMax))
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"  holds {frame.Key} {frame.State} attempts {frame.Attempts} {frame.Receipt}");
        }

        var letters = SimulatedDatabase.All(world.Store.Content.DeadLetters).Where(d => d.Gateway == gateway.Id);
        foreach (var row in record.Epochs.Concat<object>(record.Lanes).Concat(record.Runs).Concat(letters))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {row}");
        }
    }
}
