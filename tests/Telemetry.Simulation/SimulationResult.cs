using Telemetry.Simulation.Faults;

namespace Telemetry.Simulation;

/// <summary>What a run showed.</summary>
/// <param name="Seed">Its seed: the same one gives the same run.</param>
/// <param name="Problems">What does not hold; empty for a good run.</param>
/// <param name="TraceHash">Equal for two runs in which everything happened alike.</param>
/// <param name="Steps">How many steps it took.</param>
/// <param name="Time">How much simulated time passed.</param>
/// <param name="Stored">How many readings are stored.</param>
/// <param name="Alerts">How many transitions stand in the alert outbox.</param>
/// <param name="Tally">How often each fault struck.</param>
/// <param name="Story">The trace's last lines and the state at the end; null for a good run.</param>
internal sealed record SimulationResult(
    int Seed, IReadOnlyList<string> Problems, ulong TraceHash, long Steps, TimeSpan Time, long Stored, int Alerts,
    FaultTally Tally, string? Story)
{
    public bool IsGood => Problems.Count == 0;

    public override string ToString() =>
        $"seed {Seed}: {(IsGood ? "good" : string.Join("\n  ", Problems))} (trace {TraceHash:x16}, {Steps} steps, "
        + $"{Time}, {Stored} stored, {Alerts} alerts)";
}
