using System.Text.RegularExpressions;

namespace Telemetry.Tests.Deployment;

/// <summary>
/// A service of docker-compose.yml, read by lines: two spaces before its name, four before its keys, six before what
/// stands below them, and each entry in one line.
/// </summary>
internal sealed partial record ComposeService(string Name, IReadOnlyList<string> Lines)
{
    /// <summary>The image that is taken, or the name that the built one gets.</summary>
    public string Image => Value("image") ?? "";

    /// <summary>What it is built from; null where the image is taken as it is.</summary>
    public string? Dockerfile =>
        Dockerfiles().Match(Value("build") ?? "") is { Success: true } found ? found.Groups[1].Value : null;

    public bool HasHealthcheck => Lines.Contains("    healthcheck:");

    public IReadOnlyList<string> Ports => Items("ports");

    public IReadOnlyList<string> Volumes => Items("volumes");

    public IReadOnlyDictionary<string, string> Environment =>
        Below("environment").Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('"'));

    /// <summary>What stands behind a key in its line; null where the service lacks it.</summary>
    public string? Value(string key) =>
        Lines.FirstOrDefault(line => line.StartsWith($"    {key}: ", StringComparison.Ordinal))?.Split(": ", 2)[1];

    /// <summary>The entries below a key, one a line.</summary>
    public IReadOnlyList<string> Items(string key) => [.. Below(key).Select(line => line[2..].Trim('"'))];

    /// <summary>The entries of a list that stands in the key's line: <c>[ a, "b" ]</c>.</summary>
    public IReadOnlyList<string> List(string key) => Value(key) is { } list
        ? [.. list.Trim('[', ']', ' ').Split(", ").Select(item => item.Trim('"'))]
        : [];

    /// <summary>The services of a file, comments apart.</summary>
    public static IReadOnlyList<ComposeService> Of(IEnumerable<string> file)
    {
        var section = file
            .Where(line => line.Trim() is { Length: > 0 } text && text[0] != '#')
            .SkipWhile(line => line != "services:").Skip(1)
            .TakeWhile(line => line[0] == ' ');
        var services = new List<ComposeService>();
        foreach (var line in section)
        {
            if (ServiceName().Match(line) is { Success: true } found)
            {
                services.Add(new ComposeService(found.Groups[1].Value, new List<string>()));
            }
            else
            {
                ((List<string>)services[^1].Lines).Add(line);
            }
        }

        return services;
    }

    private IEnumerable<string> Below(string key) => Lines
        .SkipWhile(line => line != $"    {key}:").Skip(1)
        .TakeWhile(line => line.StartsWith("      ", StringComparison.Ordinal))
        .Select(line => line.Trim());

    [GeneratedRegex("^  ([a-z]+):$")]
    private static partial Regex ServiceName();

    [GeneratedRegex(@"dockerfile: (\S+)")]
    private static partial Regex Dockerfiles();
}
