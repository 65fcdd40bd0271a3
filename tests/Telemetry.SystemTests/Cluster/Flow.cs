namespace Telemetry.SystemTests.Cluster;

/// <summary>Turns the agents' inputs on and off.</summary>
public static class Flow
{
    /// <summary>Starts the agents, with inputs, where they are down or have none.</summary>
    public static async Task BeginAsync(this LocalCluster plant)
    {
        await plant.StopAgentsAsync();
        plant.WithInputs = true;
        await plant.StartAgentsAsync();
    }

    /// <summary>
    /// Stops the agents in order and starts them without inputs: no further reading comes, what there is drains.
    /// </summary>
    public static async Task EndAsync(this LocalCluster plant)
    {
        await plant.StopAgentsAsync();
        plant.WithInputs = false;
        await plant.StartAgentsAsync();
    }
}
