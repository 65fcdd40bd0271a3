using Telemetry.Simulation.Faults;
using Telemetry.Storage;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// Processors that are frozen in the middle of a transaction, which then holds its partitions until they go on, or
/// die, or somebody ends the session.
/// </summary>
internal sealed class FrozenTransactions(SimulatedWorld world, Random random)
{
    // A lease runs out in 2.5 seconds; two looks and a second later somebody ends the session.
    private const int SecondsMin = 5, SecondsMax = 45;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>True when this commit's processor is frozen now, with its transaction begun.</summary>
    public bool Freezes(StoreCommit commit)
    {
        if (commit.Partitions.Count == 0)
        {
            return false;
        }

        var expected = commit.Partitions[0].Expected;
        var held = world.Store.Content.Partitions.GetValueOrDefault(expected.Partition);
        var owner = world.ProcessorMachines.FirstOrDefault(m => m.Name == held?.Owner);
        if (held?.Row != expected || owner is not { IsRunning: true, Life: { IsFrozen: false } life }
            || !world.Faults.Strikes(Fault.ProcessorFrozenInTransaction, owner.Name))
        {
            return false;
        }

        owner.Freeze(TimeSpan.FromSeconds(random.Next(SecondsMin, SecondsMax)), TimeSpan.Zero, _ => { });
        _ = ReleaseAsync(life, expected.Partition);
        return true;
    }

    private async Task ReleaseAsync(ProcessLife life, int partition)
    {
        await Task.Yield();
        if (world.Store.Held.HolderOf(partition) is not { } holder)
        {
            return; // The transaction was not begun: its partitions are another's by now.
        }

        while (life is { IsAlive: true, IsFrozen: true })
        {
            await Task.Delay(LookEvery, world.Pump.Clock);
        }

        if (!world.Store.Held.Release(holder, goesOn: life.IsAlive))
        {
            world.Faults.Count(Fault.FrozenSessionEnded, $"partition {partition}");
        }
    }
}
