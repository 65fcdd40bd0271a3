using System.Text.RegularExpressions;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// The arrows between the namespaces of one project, read from its sources: using directives, and names that are
/// qualified in whole or in part. Inside P.A, <c>B.Type</c> may be P.B.Type.
/// </summary>
internal static partial class NamespaceArrows
{
    /// <summary>From the namespace that uses a type to the namespace of the type. The files are one project.</summary>
    public static HashSet<(string From, string To)> Of(IEnumerable<string> files)
    {
        var sources = files.Select(text => Comment().Replace(text, ""))
            .Select(text => (Text: text, Own: Namespace().Match(text).Groups[1].Value)).ToList();
        var namespaces = sources.SelectMany(source => WithParents(source.Own)).ToHashSet();
        var types = sources
            .SelectMany(source => Declaration().Matches(source.Text).Select(match => $"{source.Own}.{NameOf(match)}"))
            .ToHashSet();
        var arrows = new HashSet<(string, string)>();
        foreach (var (text, own) in sources)
        {
            var used = Using().Matches(text).Select(match => match.Groups[1].Value);
            arrows.UnionWith(from name in used
                             from full in FullNames(own, name)
                             where namespaces.Contains(full) || types.Contains(full)
                             select (own, types.Contains(full) ? ParentOf(full) : full));
            arrows.UnionWith(from match in QualifiedName().Matches(text)
                             from full in FullNames(own, Space().Replace(match.Groups[1].Value, ""))
                             from type in WithParents(full)
                             where types.Contains(type)
                             select (own, ParentOf(type)));
        }

        return arrows;
    }

    /// <summary>A circle, as text; null when there is none.</summary>
    public static string? Circle(IEnumerable<(string From, string To)> arrows)
    {
        // At each level: the namespaces directly below it, and the arrows between them or what is below them.
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

    /// <summary>The namespace that a file declares; empty where it declares none.</summary>
    public static string NamespaceOf(string text) => Namespace().Match(text).Groups[1].Value;

    // Where the compiler looks for a name: in the namespace itself, then in each one around it.
    private static IEnumerable<string> FullNames(string own, string name) =>
        WithParents(own).Select(around => $"{around}.{name}").Append(name);

    private static IEnumerable<string> WithParents(string name)
    {
        for (; name.Length > 0; name = ParentOf(name))
        {
            yield return name;
        }
    }

    private static string ParentOf(string name) => name[..Math.Max(0, name.LastIndexOf('.'))];

    private static string NameOf(Match declaration) =>
        declaration.Groups[1].Success ? declaration.Groups[1].Value : declaration.Groups[2].Value;

    // From // on, unless it stands in an address.
    [GeneratedRegex("(?<!:)//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s")]
    private static partial Regex Space();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Namespace();

    [GeneratedRegex(
        @"^[ \t]*(?:global )?using (?:static )?(?:\w+ = )?(?:global::)?([\w.]+);",
        RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Using();

    [GeneratedRegex(@"(?<![\w.])([A-Z]\w*(?:\s*\.\s*[A-Z]\w*)+)", RegexOptions.CultureInvariant)]
    private static partial Regex QualifiedName();

    [GeneratedRegex(
        @"\b(?:class|struct|interface|enum|record)\s+(?:struct\s+|class\s+)?(\w+)"
        + @"|\bdelegate\s[^;({]*?(\w+)(?:<[^()]*>)?\s*\(",
        RegexOptions.CultureInvariant)]
    private static partial Regex Declaration();
}
