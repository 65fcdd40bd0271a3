using Xunit.Abstractions;

namespace Telemetry.Simulation;

/// <summary>For looking at one world: <c>TELEMETRY_SIMULATION_TRACE</c> names a file for its whole trace.</summary>
public sealed class OneSeedTests(ITestOutputHelper output)
{
    [Fact]
    public void First_seed_is_good()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TELEMETRY_SIMULATION_FIRST"), out var first)
            ? first : 1;
        var path = Environment.GetEnvironmentVariable("TELEMETRY_SIMULATION_TRACE");
        using var trace = path is { Length: > 0 } ? new StreamWriter(path) : StreamWriter.Null;
        var result = SimulationRun.Run(seed, trace.WriteLine);
        trace.WriteLine(result.Story);
        output.WriteLine(result.ToString());
        Assert.True(result.IsGood, $"{result}\n{result.Story}");
    }
}
