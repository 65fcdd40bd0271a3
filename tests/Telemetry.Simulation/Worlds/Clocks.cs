using Telemetry.Simulation.Faults;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// Wall clocks of a world that are wrong: skewed from the beginning, drifting, or set forth and back.
/// </summary>
internal sealed class Clocks(SimulatedWorld world, Random random)
{
    private const double DriftMax = 0.005;

    private TimeSpan _slowest;

    /// <summary>No clock in the cloud was ever further behind the world's than this, which is not positive.</summary>
    public TimeSpan SlowestOfCloud => _slowest - (world.Now * DriftMax);

    /// <summary>Some clocks are wrong from the beginning.</summary>
    public void Skew()
    {
        foreach (var gateway in world.Gateways)
        {
            Skew(gateway.Machine, Fault.AgentClockSkewed);
        }

        foreach (var machine in CloudMachines())
        {
            Skew(machine, Fault.CloudClockSkewed);
        }

        NoteSlowest();
    }

    /// <summary>Somebody sets the clock of a gateway.</summary>
    public string StepAgent()
    {
        var gateway = world.Gateways[random.Next(world.Gateways.Count)];
        return Step(gateway.Machine, Offset());
    }

    /// <summary>
    /// Somebody sets a clock in the cloud: of a process, or, by seconds, of the log's or the database's server.
    /// </summary>
    public string StepCloud()
    {
        var where = StepOneOfCloud();
        NoteSlowest();
        return where;
    }

    private string StepOneOfCloud()
    {
        var seconds = TimeSpan.FromSeconds((random.NextDouble() * 10) - 5);
        switch (random.Next(4))
        {
            case 0:
                world.Log.Calls.ClockOffset += seconds;
                return $"log by {seconds}";
            case 1:
                world.Store.Calls.ClockOffset += seconds;
                return $"database by {seconds}";
            default:
                var machines = CloudMachines().ToArray();
                return Step(machines[random.Next(machines.Length)], Offset());
        }
    }

    private void NoteSlowest() => _slowest = CloudMachines().Select(m => m.ClockOffset)
        .Append(world.Log.Calls.ClockOffset).Append(_slowest).Min();

    private static string Step(Machine machine, TimeSpan by)
    {
        machine.ClockOffset += by;
        return $"{machine.Name} by {by}";
    }

    private IEnumerable<Machine> CloudMachines() =>
        [.. world.Ingresses.Select(i => i.Machine), .. world.ProcessorMachines];

    private void Skew(Machine machine, Fault fault)
    {
        if (world.Faults.Strikes(fault, machine.Name))
        {
            machine.ClockOffset = Offset();
            machine.ClockDrift = ((random.NextDouble() * 2) - 1) * DriftMax;
        }
    }

    /// <summary>From milliseconds to a day, either way.</summary>
    private TimeSpan Offset() =>
        TimeSpan.FromMilliseconds(Math.Pow(10, random.NextDouble() * 8) * (random.Next(2) == 0 ? 1 : -1));
}
