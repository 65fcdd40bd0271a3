namespace Telemetry.TestKit.Servers;

/// <summary>What a <see cref="PostgresServer"/> is started with.</summary>
public sealed record PostgresOptions
{
    /// <summary>
    /// Whether commits are forced to the disk. Off by default, for speed: what was committed survives a killed
    /// server all the same, because the kernel has it. Set it where the test is about durability, or measures it.
    /// </summary>
    public bool ForceToDisk { get; init; }

    /// <summary>Settings of postgresql.conf, by name, on top of the fixture's own.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
