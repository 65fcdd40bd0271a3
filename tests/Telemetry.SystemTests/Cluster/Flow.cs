namespace Telemetry.SystemTests.Cluster;

/// <summary>Turns the agents' inputs on and off.</summary>
public static class Flow
{
    /// <summary>Starts the agents, with inputs, where they are down or have none.</summary>
    public static async Task BeginAsync(this LocalCluster cluster)
    {
        await cluster.StopAgentsAsync();
        cluster.WithInputs = true;
        await cluster.StartAgentsAsync();
    }

    /// <summary>
    /// Stops the agents in order and starts them without inputs: no further reading comes, what there is drains.
    /// </summary>
    public static async Task EndAsync(this LocalCluster cluster)
    {
        await cluster.StopAgentsAsync();
        cluster.WithInputs = false;
        await cluster.StartAgentsAsync();
    }
}
