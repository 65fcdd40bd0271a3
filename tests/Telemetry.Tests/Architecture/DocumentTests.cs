using System.Text.RegularExpressions;
using Telemetry.Ingress;

namespace Telemetry.Tests.Architecture;

/// <summary>What the documents name exists, and what has to be found in them stands there.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] Documents =
    [
        "README.md", "ARCHITECTURE.md", "docs/metrics.md", "docs/repartition.md", "docs/forks.md", "docs/traces.md",
        "docs/frame-format.md", "docs/operating.md", "docs/line-protocol.md",
    ];

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
    public void Links_between_documents_lead_somewhere() =>
        Assert.Empty(
            from document in Documents
            from Match link in Link().Matches(Text(document))
            let target = link.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal)
            let path = Path.Combine(SourceTree.Root, Path.GetDirectoryName(document)!, target)
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{document}: {target}");

    [Fact]
    public void Every_metric_stands_in_its_document()
    {
        var document = Text("docs/metrics.md");
        var names = new[] { "CloudMetrics.cs", "AgentStatus.cs", "HttpStatus.cs" }
            .SelectMany(file => MetricName().Matches(Text(Sources.Single(
                path => path.EndsWith($"/{file}", StringComparison.Ordinal)))))
            .Select(match => match.Groups[1].Value)
            .ToHashSet();
        var events = Enum.GetValues<IngressEvent>().Where(what => what != IngressEvent.ByteAppended)
            .Select(what => Capital().Replace(what.ToString(), "_$1").ToLowerInvariant());

        Assert.InRange(names.Count, 60, 1000);
        Assert.All(
            names.Concat(events),
            name => Assert.Matches($@"(?<![\w.]){Regex.Escape(name)}(?![\w.]*\w)", document));
    }

    private static string Text(string relative) => File.ReadAllText(Path.Combine(SourceTree.Root, relative));

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InLine();

    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-z]+)+$")]
    private static partial Regex ClassName();

    [GeneratedRegex(@"\]\(([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex("\"(telemetry[._][a-z0-9._]+)[\"{]")]
    private static partial Regex MetricName();

    [GeneratedRegex("(?<=.)([A-Z])")]
    private static partial Regex Capital();
}
