namespace Telemetry.TestKit.Servers;

/// <summary>A program to start, with all that it is started with.</summary>
public sealed record ServerCommand(string Program, params IReadOnlyList<string> Arguments)
{
    /// <summary>Working folder; the program's output goes there too, to its name with ".log".</summary>
    public required string Folder { get; init; }

    /// <summary>User to run as; null: ours. Another one can only be named by root.</summary>
    public string? User { get; init; }

    /// <summary>Variables set on top of our own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
