using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Faults;

/// <summary>Decides by seed whether a fault strikes, counts it, and stops when the world heals.</summary>
internal sealed class FaultChances(Mix mix, Random random, Trace trace)
{
    /// <summary>False before the world runs and once it heals.</summary>
    public bool Active { get; set; }

    public FaultTally Tally { get; } = new();

    /// <summary>True when it strikes now.</summary>
    public bool Strikes(Fault fault, string where)
    {
        if (!Active || !mix.Chance.TryGetValue(fault, out var chance) || random.NextDouble() >= chance)
        {
            return false;
        }

        Struck(fault, where);
        return true;
    }

    /// <summary>Counts one that struck.</summary>
    public void Struck(Fault fault, string where)
    {
        Tally.Count(fault);
        trace.Say($"* {fault} {where}");
    }
}
