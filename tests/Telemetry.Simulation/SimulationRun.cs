using Telemetry.Simulation.Checking;
using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Planted;
using Telemetry.Simulation.Worlds;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation;

/// <summary>
/// Runs a world by seed: faults strike while readings come, then everything heals, then it must come to rest within
/// bounded time, then the verdict is read.
/// </summary>
internal static class SimulationRun
{
    private const int StoryLines = 60;
    private const long StepsMax = 3_000_000;
    private static readonly TimeSpan QuietFaults = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan RestWithin = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan ReconnectEvery = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private const int LooksMax = 3;
    private static readonly TimeSpan StaysAtRest = TimeSpan.FromSeconds(16);

    /// <summary>Runs a seed's own mix.</summary>
    public static SimulationResult Run(int seed, Action<string>? listener = null) =>
        Run(seed, FaultProfile.Swarm(new Random(seed)), Parts.Ordinary, listener);

    /// <summary>Runs a mix by seed, with parts in the place of ordinary ones.</summary>
    public static SimulationResult Run(int seed, FaultProfile mix, Parts parts, Action<string>? listener = null)
    {
        var pump = new Pump(new PumpOptions
        {
            Order = new Random(seed),
            StepsMax = StepsMax,
            SimulatedTimeMax = TimeSpan.FromHours(2),
        });
        var world = new SimulatedWorld(seed, mix, parts, pump);
        world.Trace.Listener = listener;
        var problems = new List<string>();
        try
        {
            problems.AddRange(pump.Run(() => RunAsync(world)));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            problems.Add($"the run ended: {e}");
        }

        var stored = world.Store.Content.Gateways.Values.Sum(g => g.Stored);
        return new SimulationResult(
            seed, problems, world.Trace.Hash, pump.Steps, pump.Clock.Elapsed, stored,
            world.Store.Content.AlertOutbox.Count, world.Faults.Tally,
            problems.Count == 0
                ? null : string.Join('\n', world.Trace.LastLines(StoryLines)) + "\n" + StateReport.Of(world));
    }

    private static async Task<IReadOnlyList<string>> RunAsync(SimulatedWorld world)
    {
        var running = world.Machines.Select(m => m.RunAsync()).ToList();
        foreach (var machine in world.Machines)
        {
            machine.SwitchOn();
        }

        var schedule = new FaultSchedule(world);
        world.Faults.Active = true;
        world.Clocks.Skew();
        running.Add(schedule.StrikeAsync());
        running.Add(schedule.BackUpAsync());
        await Task.Delay(world.Mix.Busy, world.Pump.Clock);
        if (world.Mix.Tail != Tail.Readings)
        {
            world.StopReadings();
            await Task.Delay(QuietFaults, world.Pump.Clock);
        }

        Heal(world);
        if (world.Mix.Tail == Tail.AgentsOff && await RestsAsync(world))
        {
            world.SwitchAgentsOff();
            schedule.Strike(Fault.DatabasePutBack);
        }

        if (world.Mix.Tail == Tail.Readings)
        {
            await Task.Delay(QuietFaults, world.Pump.Clock);
            world.StopReadings();
        }

        // Readings that were being accepted when the last came may still follow a first moment of rest.
        var rests = false;
        for (var looks = 0; looks == 0 || (rests && looks < LooksMax && !Convergence.Reached(world)); looks++)
        {
            rests = await RestsAsync(world);
            await Task.Delay(rests ? StaysAtRest : TimeSpan.Zero, world.Pump.Clock);
        }

        var problems = Verdict.Check(world).ToList();
        if (!rests)
        {
            problems.Add($"not at rest {RestWithin} after everything was healed");
        }

        problems.AddRange(running.Where(r => r.IsFaulted).Select(r => $"the harness failed: {r.Exception}"));
        return problems;
    }

    private static void Heal(SimulatedWorld world)
    {
        world.Faults.Active = false;
        world.Trace.Say("everything heals");
        foreach (var machine in world.Machines)
        {
            machine.Thaw();
        }

        foreach (var twin in world.Twins.Where(t => !t.Machine.IsDestroyed))
        {
            var gateway = world.Gateways.First(g => g.Id == twin.Id);
            world.Judge.DiskGone(twin.Id, twin.Disk.Snapshot(), gateway.Disk.Snapshot());
            twin.Machine.Destroy();
        }

        foreach (var gateway in world.Gateways)
        {
            gateway.Link.Mend();
        }
    }

    private static async Task<bool> RestsAsync(SimulatedWorld world)
    {
        var reconnects = world.Now + ReconnectEvery;
        for (var until = world.Now + RestWithin; world.Now < until;)
        {
            if (Convergence.Reached(world))
            {
                return true;
            }

            if (world.Now >= reconnects && !world.AgentsAreOff)
            {
                // What a life of an outbox announced that is no more is booked as lost by the hellos of the one that
                // goes on, and it says one at each connection.
                reconnects = world.Now + ReconnectEvery;
                foreach (var gateway in world.Gateways.Where(g => !Convergence.IsClosed(world, g)))
                {
                    gateway.Link.Break("the network breaks once more");
                }
            }

            await Task.Delay(LookEvery, world.Pump.Clock);
        }

        return false;
    }
}
