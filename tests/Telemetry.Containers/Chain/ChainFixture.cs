using Telemetry.Containers.Engine;

namespace Telemetry.Containers.Chain;

/// <summary>One chain for the tests of a class.</summary>
public sealed class ChainFixture : IAsyncLifetime
{
    internal TrialChain Chain { get; private set; } = null!;

    // Where there is no engine all tests of the class are skipped, or fail here.
    public async Task InitializeAsync()
    {
        if (DockerEngine.IsThere())
        {
            Chain = await TrialChain.StartAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (Chain is not null)
        {
            await Chain.DisposeAsync();
        }
    }
}
