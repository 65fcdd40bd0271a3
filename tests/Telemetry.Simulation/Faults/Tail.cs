namespace Telemetry.Simulation.Faults;

/// <summary>What still comes from the gateways while the world heals.</summary>
internal enum Tail
{
    /// <summary>Readings go on for a while after everything is healed.</summary>
    Readings,

    /// <summary>Faults go on after the last reading, and no further one comes.</summary>
    Quiet,

    /// <summary>
    /// The agents have drained and are switched off; then the database is put back, and only the log can heal it.
    /// </summary>
    AgentsOff,
}
