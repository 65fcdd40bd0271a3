using System.Text.RegularExpressions;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>What a Dockerfile says, by its instructions; one that goes on over several lines is one.</summary>
internal sealed partial class ImageRecipe
{
    private readonly string[] _instructions;

    public ImageRecipe(string text)
    {
        var lines = text.Split('\n').Where(line => !line.StartsWith('#'));
        _instructions = string.Join('\n', lines).Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The images that the stages begin with.</summary>
    public IEnumerable<string> BaseImages => Words("FROM").Select(words => words[1]);

    /// <summary>Who the last stage's process runs as; null where nobody is named, which is root.</summary>
    public string? User =>
        LastStage().LastOrDefault(line => line.StartsWith("USER ", StringComparison.Ordinal))?[5..].Trim();

    public bool HasHealthcheck => LastStage().Any(line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal));

    /// <summary>Files and folders of the repository that are copied, and where to.</summary>
    public IEnumerable<(string Source, string Target)> Copies =>
        from words in Words("COPY")
        where !words[1].StartsWith("--from", StringComparison.Ordinal)
        from source in words[1..^1]
        select (source, words[^1]);

    /// <summary>The configuration that the process is started with, as a file of the repository.</summary>
    public string Configuration => Source(ConfigurationPath().Match(_instructions[^1]).Groups[1].Value);

    public static ImageRecipe Read(string path) => new(File.ReadAllText(Path.Combine(SourceTree.Root, path)));

    /// <summary>
    /// The file of the repository that stands in the image as <paramref name="target"/>; otherwise the text itself.
    /// </summary>
    public string Source(string target) =>
        Copies.FirstOrDefault(copy => copy.Target == target) is ({ } source, _)
            ? Path.Combine(SourceTree.Root, source)
            : target;

    private IEnumerable<string[]> Words(string instruction) =>
        _instructions.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words[0] == instruction);

    private string[] LastStage() =>
        _instructions[Array.FindLastIndex(_instructions, line => line.StartsWith("FROM ", StringComparison.Ordinal))..];

    [GeneratedRegex("\"--config\", \"([^\"]+)\"")]
    private static partial Regex ConfigurationPath();
}
