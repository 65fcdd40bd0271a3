using Telemetry.Model.Identity;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Faults;

/// <summary>Decides by seed whether a fault strikes, counts it, and stops when the world heals.</summary>
internal sealed class FaultChances(FaultProfile mix, Random random, Trace trace)
{
    /// <summary>False before the world runs and once it heals.</summary>
    public bool Active { get; set; }

    public FaultTally Tally { get; } = new();

    /// <summary>
    /// Checksums of frames that their agents gave up as refused: a copy that is on its way stays unreadable, also once
    /// the world heals.
    /// </summary>
    public HashSet<(GatewayId Gateway, ulong Checksum)> GivenUp { get; } = [];

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

    /// <summary>Counts what another fault led to, also once the world heals.</summary>
    public void Count(Fault fault, string where) => Struck(fault, where);

    /// <summary>True while a fault that has a rule of its own may strike.</summary>
    public bool IsOn(Fault fault) => Active && mix.Has(fault);

    /// <summary>Counts one that struck; always true.</summary>
    public bool Struck(Fault fault, string where)
    {
        Tally.Count(fault);
        trace.Say($"* {fault} {where}");
        return true;
    }
}
