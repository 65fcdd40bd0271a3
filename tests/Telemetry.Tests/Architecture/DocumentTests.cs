using System.Text.RegularExpressions;
using Telemetry.Ingress;

namespace Telemetry.Tests.Architecture;

/// <summary>What the documents name exists, and what has to be found in them stands there.</summary>
public sealed partial class DocumentTests
{
    private static string[] Sources { get; } = [.. SourceTree.Files(".cs")];

    [Fact]
    public void Architecture_names_files_and_classes_that_exist()
    {
        var code = InLine().Matches(Text("ARCHITECTURE.md")).Select(match => match.Groups[1].Value).ToHashSet();
        var files = code.Where(name => name.EndsWith(".cs", StringComparison.Ordinal)).ToList();
        var classes = code.Where(name => ClassName().IsMatch(name)).ToList();

        Assert.InRange(files.Count, 30, 1000);
        Assert.InRange(classes.Count, 15, 1000);
        Assert.All(files, name => Assert.Contains(
            Sources, path => $"/{path}".EndsWith($"/{name}", StringComparison.Ordinal)));
        Assert.All(classes, name => Assert.Contains(
            Sources,
            path => path.EndsWith($"/{name}.cs", StringComparison.Ordinal)
                || path.Contains($"/{name}/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_metric_stands_in_its_document()
    {
        var document = Text("docs/reference/metrics.md");
        var names = Sources
            .Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
            .Select(Text)
            .Where(source => source.Contains("Meter meter", StringComparison.Ordinal))
            .SelectMany(source => InstrumentName().Matches(source))
            .Select(match => match.Groups[1].Value)
            .ToHashSet();
        var events = Enum.GetValues<IngressEvent>().Where(what => what != IngressEvent.ByteAppended)
            .Select(what => Capital().Replace(what.ToString(), "_$1").ToLowerInvariant());

        Assert.InRange(names.Count, 60, 1000);
        Assert.Contains(names, name => name.StartsWith("telemetry.agent.http.", StringComparison.Ordinal));
        Assert.All(
            names.Select(name => $"({Regex.Escape(name)}|{name.Replace('.', '_')}(_bytes)?(_total)?)").Concat(events),
            name => Assert.Matches($@"(?<![\w.]){name}(?![\w.]*\w)", document));
    }

    private static string Text(string relative) => File.ReadAllText(Path.Combine(SourceTree.Root, relative));

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InLine();

    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-z]+)+$")]
    private static partial Regex ClassName();

    [GeneratedRegex("\"(telemetry[.][a-z0-9._]+)\"")]
    private static partial Regex InstrumentName();

    [GeneratedRegex("(?<=.)([A-Z])")]
    private static partial Regex Capital();
}
