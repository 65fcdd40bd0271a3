using System.Text.RegularExpressions;

namespace Telemetry.Tests.Deployment;

/// <summary>What may stand in docker-compose.yml and the Dockerfiles.</summary>
internal static partial class ContainerRules
{
    /// <summary>Published on the machine's loopback alone.</summary>
    public static bool IsLocal(string port) => Local().IsMatch(port);

    /// <summary>Of a tag that begins with a version of at least two numbers.</summary>
    public static bool IsPinned(string image) => Pinned().IsMatch(image);

    /// <summary>
    /// The variable that must be set for the value; null where the value stands in the file, or may be empty.
    /// </summary>
    public static string? RequiredVariable(string value) =>
        Required().Match(value) is { Success: true } found ? found.Groups[1].Value : null;

    [GeneratedRegex(@"^127\.0\.0\.1:\d+:\d+$")]
    private static partial Regex Local();

    [GeneratedRegex(@"^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$")]
    private static partial Regex Pinned();

    [GeneratedRegex(@"^\$\{([A-Z_]+):\?[^}]+\}$")]
    private static partial Regex Required();
}
