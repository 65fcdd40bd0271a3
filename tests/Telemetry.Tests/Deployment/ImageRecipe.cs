using System.Text.RegularExpressions;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Deployment;

/// <summary>What a Dockerfile says, by its instructions; one that goes on over several lines is one.</summary>
internal sealed partial class ImageRecipe
{
    /// <summary>Where a program that is published already stands in the context of whoever builds with it.</summary>
    public const string Published = "published/";

    private readonly string[] _instructions;

    public ImageRecipe(string text)
    {
        var lines = text.Split('\n').Where(line => !line.StartsWith('#'));
        _instructions = string.Join('\n', lines).Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The images that the stages begin with, where nobody names others; stages of this file apart.</summary>
    public IEnumerable<string> BaseImages
    {
        get
        {
            var defaults = Words("ARG").Where(words => words[1].Contains('=', StringComparison.Ordinal))
                .ToDictionary(words => $"${{{words[1].Split('=')[0]}}}", words => words[1].Split('=')[1]);
            var stages = Words("FROM").Where(words => words.Length == 4).Select(words => words[3]).ToHashSet();
            return Words("FROM").Select(words => words[1]).Where(image => !stages.Contains(image))
                .Select(image => defaults.GetValueOrDefault(image, image));
        }
    }

    /// <summary>Who the image's process runs as; null where nobody is named, which is root.</summary>
    public string? User =>
        Image().LastOrDefault(line => line.StartsWith("USER ", StringComparison.Ordinal))?[5..].Trim();

    public bool HasHealthcheck => Image().Any(line => line.StartsWith("HEALTHCHECK ", StringComparison.Ordinal));

    /// <summary>Files and folders of the repository that are copied, and where to.</summary>
    public IEnumerable<(string Source, string Target)> Copies =>
        from words in Words("COPY")
        where !words[1].StartsWith("--from", StringComparison.Ordinal)
        from source in words[1..^1]
        where source != Published
        select (source, words[^1]);

    /// <summary>True where a stage copies a program that is published already.</summary>
    public bool TakesPublished => Words("COPY").Any(words => words[1] == Published);

    /// <summary>The configuration that the process is started with, as a file of the repository.</summary>
    public string Configuration => Source(
        ConfigurationPath().Match(Image().Last(line => line.StartsWith("CMD ", StringComparison.Ordinal)))
            .Groups[1].Value);

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

    /// <summary>The instructions of the last stage, behind those of the stages that it stands on.</summary>
    private IEnumerable<string> Image() => Stage(
        Array.FindLastIndex(_instructions, line => line.StartsWith("FROM ", StringComparison.Ordinal)));

    private IEnumerable<string> Stage(int from)
    {
        var below = _instructions[from].Split(' ')[1];
        var stage = _instructions.Skip(from + 1)
            .TakeWhile(line => !line.StartsWith("FROM ", StringComparison.Ordinal));
        var found = Array.FindIndex(_instructions, line => line.EndsWith($" AS {below}", StringComparison.Ordinal));
        return found < 0 ? stage : Stage(found).Concat(stage);
    }

    [GeneratedRegex("\"--config\", \"([^\"]+)\"")]
    private static partial Regex ConfigurationPath();
}
