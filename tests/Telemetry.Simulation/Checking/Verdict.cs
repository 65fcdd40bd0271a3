using Telemetry.Simulation.Worlds;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// What must hold of a world that came to rest (DESIGN: G1, G2, G3, G5, G7), from the generators' journals, the disks
/// and the database alone. Each problem is one line.
/// </summary>
internal static class Verdict
{
    public static IReadOnlyList<string> Check(SimulatedWorld world)
    {
        var problems = new List<string>();
        problems.AddRange(world.Judge.Problems);
        problems.AddRange(world.Strangers.Problems);
        problems.AddRange(world.Machines.Concat(world.Twins.Select(t => t.Machine)).SelectMany(m => m.Errors));
        var stored = SimulatedDatabase.All(world.Store.Content.Readings).ToLookup(r => r.Series);
        var known = 0;
        foreach (var gateway in world.Gateways)
        {
            var readings = gateway.Generator.Series.SelectMany(series => stored[series]).Select(r => r.Hash).ToArray();
            known += readings.Length;
            var books = new GatewayBooks(world, gateway, readings);
            problems.AddRange(books.Totals().Concat(gateway.PutBack.Count > 0 ? books.PutBack() : books.Exact()));
        }

        var foreign = stored.Sum(s => s.Count()) - known;
        if (foreign > 0)
        {
            problems.Add($"{foreign} readings stored are of no series that a gateway has");
        }

        problems.AddRange(WindowBooks.Check(world));
        problems.AddRange(AlertBooks.Check(world));
        problems.AddRange(PublishedAlerts.Check(world.Kafka, world.Store));
        return problems;
    }
}
