using System.Text.RegularExpressions;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// Links in the documents lead to files and headings that are there, and decisions are found in their index.
/// </summary>
public sealed partial class DocumentLinkTests
{
    // Folders of documents; at the top, files alone.
    private static readonly string[] Folders = ["docs", ".github"];

    // Paths that a program or a comment names to people.
    private static readonly string[] NamingFolders = ["cloud", "edge", "shared", "tests", "deploy", "eng"];

    private static string[] Documents { get; } =
    [
        .. Directory.EnumerateFiles(SourceTree.Root, "*.md").Select(Relative),
        .. Folders.Select(folder => Path.Combine(SourceTree.Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories))
            .Select(Relative),
    ];

    [Fact]
    public void Links_lead_to_files_and_headings_that_are_there()
    {
        Assert.Contains("docs/start.md", Documents);
        Assert.Empty(Documents.SelectMany(Broken));
    }

    [Fact]
    public void Documents_that_sources_name_are_there()
    {
        string[] endings = [".cs", ".json", ".py", ".sh", ".service", ".yml", ".toml"];
        var named =
            from folder in NamingFolders
            from path in Directory.EnumerateFiles(
                Path.Combine(SourceTree.Root, folder), "*", SearchOption.AllDirectories).Select(Relative)
            where endings.Contains(Path.GetExtension(path)) && !path.Contains("/bin/", StringComparison.Ordinal)
                && !path.Contains("/obj/", StringComparison.Ordinal)
            from Match match in NamedDocument().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, path)))
            select (path, Document: match.Value);
        var all = named.ToList();

        Assert.InRange(all.Count, 10, 1000);
        Assert.DoesNotContain(all, name => !Path.Exists(Path.Combine(SourceTree.Root, name.Document)));
    }

    [Fact]
    public void Every_decision_has_a_date_a_status_and_a_line_in_the_index()
    {
        var index = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/adr/README.md"));
        var decisions = Documents.Where(path => Decision().IsMatch(path)).ToList();

        Assert.InRange(decisions.Count, 20, 1000);
        Assert.All(decisions, path =>
        {
            var lines = SourceTree.Lines(path);
            var head = DecisionHead().Match(string.Join('\n', lines.Take(3)));
            Assert.True(head.Success, $"{path}: the title, an empty line, then 'Date: 2026-01-31. Status: …'");
            Assert.Contains(
                $"| [{head.Groups[1].Value}]({Path.GetFileName(path)}) | {head.Groups[2].Value} "
                + $"| {head.Groups[3].Value} | {head.Groups[4].Value}",
                index,
                StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("[a](b.md)", "b.md")]
    [InlineData("[a](b.md#c) and ![d](e.svg)", "b.md#c", "e.svg")]
    [InlineData("`[a](b.md)` stays as it is")]
    [InlineData("[a](https://example.org)", "https://example.org")]
    public void Links_are_recognised(string text, params string[] targets) => Assert.Equal(targets, Targets(text));

    [Theory]
    [InlineData("Plain columns (version 0)", "plain-columns-version-0")]
    [InlineData("At 3 a.m.", "at-3-am")]
    [InlineData("What `check` says", "what-check-says")]
    public void Headings_are_named_as_browsers_name_them(string heading, string anchor) =>
        Assert.Equal(anchor, Anchor(heading));

    private static IEnumerable<string> Broken(string document)
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.Root, document));
        foreach (var target in Targets(text).Where(target => !target.Contains("://", StringComparison.Ordinal)))
        {
            var parts = target.Split('#');
            var path = parts[0].Length == 0
                ? Path.Combine(SourceTree.Root, document)
                : Path.Combine(SourceTree.Root, Path.GetDirectoryName(document)!, parts[0]);
            if (!Path.Exists(path))
            {
                yield return $"{document}: {target}: there is no such file";
            }
            else if (parts.Length > 1 && !Anchors(path).Contains(parts[1]))
            {
                yield return $"{document}: {target}: there is no such heading";
            }
        }
    }

    private static IEnumerable<string> Targets(string text) =>
        Link().Matches(Code().Replace(text, "")).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> Anchors(string path) =>
        Heading().Matches(Block().Replace(File.ReadAllText(path), "")).Select(match => Anchor(match.Groups[1].Value));

    private static string Anchor(string heading) =>
        new([.. heading.Trim().ToLowerInvariant().Replace(' ', '-')
            .Where(c => char.IsLetterOrDigit(c) || c is '-' or '_')]);

    private static string Relative(string path) => Path.GetRelativePath(SourceTree.Root, path).Replace('\\', '/');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("(?s)```.*?```|`[^`\n]*`")]
    private static partial Regex Code();

    [GeneratedRegex("(?s)```.*?```")]
    private static partial Regex Block();

    [GeneratedRegex("(?m)^#+ (.*)$")]
    private static partial Regex Heading();

    // A sentence may end behind it; migrations are never changed, so they name what was there.
    [GeneratedRegex(@"(?<![\w./])docs/[\w./-]*\w")]
    private static partial Regex NamedDocument();

    [GeneratedRegex(@"^docs/adr/\d{4}-")]
    private static partial Regex Decision();

    [GeneratedRegex(@"\A# (\d{4}) (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. Status: (accepted|superseded)")]
    private static partial Regex DecisionHead();
}
