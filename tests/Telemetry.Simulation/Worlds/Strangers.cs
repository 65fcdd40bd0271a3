using Telemetry.Model.Installations;
using Telemetry.Simulation.Faults;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// Processes that are configured with another number of partitions and start beside the others, with the database or
/// without it: each must be refused before it does anything.
/// </summary>
internal sealed class Strangers(SimulatedWorld world, Random random)
{
    private const int Partitions = SimulatedWorld.Partitions + 1;

    private readonly List<string> _problems = [];

    /// <summary>Those that were not refused.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>One starts; null while there is no installation yet: it would be its own.</summary>
    public string? Start()
    {
        if (world.Store.Content.Installation is null)
        {
            return null;
        }

        var hasDatabase = random.Next(2) == 0;
        var life = new ProcessLife(world.Pump);
        _ = life.Run(() => RunAsync(life.Time, hasDatabase));
        return hasDatabase ? "with the database" : "without the database";
    }

    private async Task RunAsync(TimeProvider time, bool hasDatabase)
    {
        try
        {
            var facts = hasDatabase
                ? await InstallationSteps.OfStoreAsync(world.Store, world.Log, Partitions, random, time, default)
                : await InstallationSteps.OfLogAsync(world.Log, Partitions, time, default);
            _problems.Add($"a process with {Partitions} partitions began beside others, with {facts}");
        }
        catch (InstallationException e)
        {
            world.Faults.Count(Fault.StrangerRefused, e.Message);
        }
    }
}
