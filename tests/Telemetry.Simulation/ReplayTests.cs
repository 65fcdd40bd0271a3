namespace Telemetry.Simulation;

public sealed class ReplayTests
{
    private const int Seeds = 20;

    [Fact]
    public void Same_seed_takes_the_same_steps()
    {
        var hashes = new HashSet<ulong>();
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var first = SimulationRun.Run(seed);
            var second = SimulationRun.Run(seed);
            Assert.Equal((first.TraceHash, first.Steps, first.Time), (second.TraceHash, second.Steps, second.Time));
            hashes.Add(first.TraceHash);
        }

        Assert.Equal(Seeds, hashes.Count);
    }
}
