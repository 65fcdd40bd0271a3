using System.Text.RegularExpressions;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// Inside a project, arrows between namespaces form no circle. A namespace and those below it are one room seen from
/// outside, so between them both directions are allowed: the upper one holds contracts and what puts the parts
/// together. An arrow is a using directive, as the build refuses one that is not needed.
/// </summary>
public sealed partial class NamespaceArrowsTests
{
    public static TheoryData<string> Projects => [.. SourceTree.Files(".csproj")
        .Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
        .Select(path => Path.GetFileNameWithoutExtension(path)!)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespaces_of_a_project_form_no_circle(string project) =>
        Assert.Null(Circle(Arrows(project)));

    [Fact]
    public void A_circle_is_found() =>
        Assert.NotNull(Circle([("P.A.X", "P.B"), ("P.B.Y", "P.C"), ("P.C", "P.A.Z")]));

    [Fact]
    public void Parent_and_child_are_no_circle() =>
        Assert.Null(Circle([("P.A", "P.A.X"), ("P.A.X", "P.A"), ("P.A.X", "P.B"), ("P.A.Y", "P.A.X")]));

    private static List<(string From, string To)> Arrows(string project)
    {
        var arrows = new List<(string, string)>();
        foreach (var path in SourceTree.Files(".cs")
            .Where(path => path.Contains($"/{project}/", StringComparison.Ordinal)))
        {
            var text = string.Join('\n', SourceTree.Lines(path));
            var own = Namespace().Match(text).Groups[1].Value;
            arrows.AddRange(from match in Using().Matches(text)
                            let to = match.Groups[1].Value
                            where to == project || to.StartsWith(project + ".", StringComparison.Ordinal)
                            select (own, to));
        }

        return arrows;
    }

    // At each level: the namespaces directly below it, and the arrows between them or what is below them.
    private static string? Circle(List<(string From, string To)> arrows)
    {
        var siblings = new HashSet<(string, string)>();
        foreach (var (from, to) in arrows)
        {
            string[] a = from.Split('.'), b = to.Split('.');
            var common = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
            if (common < a.Length && common < b.Length)
            {
                siblings.Add((string.Join('.', a[..(common + 1)]), string.Join('.', b[..(common + 1)])));
            }
        }

        // Nobody points at the last one of a graph without circles: take away those until none is left.
        while (siblings.Count > 0)
        {
            var sources = siblings.Select(arrow => arrow.Item1).ToHashSet();
            if (siblings.RemoveWhere(arrow => !sources.Contains(arrow.Item2)) == 0)
            {
                return string.Join(", ", siblings.Select(arrow => $"{arrow.Item1} -> {arrow.Item2}").Order());
            }
        }

        return null;
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:static )?([\w.]+);", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Using();
}
