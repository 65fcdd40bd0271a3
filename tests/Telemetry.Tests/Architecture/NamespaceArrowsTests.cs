namespace Telemetry.Tests.Architecture;

/// <summary>
/// Inside a project, arrows between namespaces form no circle. A namespace and those below it are one room seen from
/// outside, so between them both directions are allowed: the upper one holds contracts and what puts the parts
/// together. A file's namespace is its folder, so that folders form no circle either.
/// </summary>
public sealed class NamespaceArrowsTests
{
    /// <summary>Files whose namespace is not their folder, with the reason. The list only gets shorter.</summary>
    private static readonly HashSet<string> OtherFolder = [];

    public static TheoryData<string> Projects => [.. SourceTree.Files(".csproj")
        .Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
        .Select(path => Path.GetDirectoryName(path)!.Replace('\\', '/'))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespaces_of_a_project_form_no_circle(string project)
    {
        var circle = NamespaceArrows.Circle(NamespaceArrows.Of(FilesOf(project).Select(file => file.Text)));
        Assert.True(circle is null, circle);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespace_of_a_file_is_its_folder(string project)
    {
        var files = FilesOf(project).ToList();
        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
                // Statements at the top of a program stand in no namespace.
            where Path.GetFileName(file.Path) != "Program.cs" && !OtherFolder.Contains(file.Path)
            let folder = Path.GetDirectoryName(file.Path)!.Replace('\\', '/')
            let expected = folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.')
            let found = NamespaceArrows.NamespaceOf(file.Text)
            where found != expected
            select $"{file.Path}: {found}, not {expected}");
    }

    [Theory]
    [InlineData("using P.B;")]
    [InlineData("global using P.B;")]
    [InlineData("using static P.B.Type;")]
    [InlineData("using Other = P.B.Type;")]
    [InlineData("using Other = P.B;")]
    [InlineData("namespace P.A;\nusing B;")]
    [InlineData("namespace P.A;\n    B.Type.Check(null);")]
    [InlineData("namespace P.A;\n    var all = new List<B.Type>();")]
    [InlineData("namespace P.A;\n    var kind = typeof(P.B.Type);")]
    [InlineData("namespace P.A;\n    var kind = (global::P.B.Type)value;")]
    [InlineData("namespace P.A;\n    var text = $\"{B.Type.Name}\";")]
    [InlineData("namespace P.A;\n    B\n        .Type.Check(null);")]
    [InlineData("namespace P.A;\n    B.Choice value;")]
    [InlineData("namespace P.A;\n    B.Handler handler;")]
    [InlineData("namespace P.A;\n    B.Pair pair;")]
    public void Arrow_is_seen_however_it_is_written(string text) => Assert.Contains(("P.A", "P.B"), ArrowsOf(text));

    [Theory]
    [InlineData("namespace P.A;\n    // as B.Type does")]
    [InlineData("namespace P.A;\n    var count = B.Count;")]
    [InlineData("namespace P.A;\n    var count = Other.B.Type;")]
    [InlineData("namespace P.A;\nusing System.B;")]
    public void What_only_looks_like_an_arrow_is_none(string text) => Assert.Empty(ArrowsOf(text));

    [Fact]
    public void A_circle_is_found() =>
        Assert.NotNull(NamespaceArrows.Circle([("P.A.X", "P.B"), ("P.B.Y", "P.C"), ("P.C", "P.A.Z")]));

    [Fact]
    public void Parent_and_child_are_no_circle() => Assert.Null(NamespaceArrows.Circle(
        [("P.A", "P.A.X"), ("P.A.X", "P.A"), ("P.A.X", "P.B"), ("P.A.Y", "P.A.X")]));

    private static HashSet<(string From, string To)> ArrowsOf(string text) => NamespaceArrows.Of(
    [
        text.Contains("namespace", StringComparison.Ordinal) ? text : $"{text}\nnamespace P.A;",
        """
        namespace P.B;
        public static class Type;
        public readonly record struct Pair(int A, int B);
        public enum Choice { }
        public delegate System.Threading.Tasks.Task<int> Handler(int value);
        """,
    ]);

    private static IEnumerable<(string Path, string Text)> FilesOf(string project) =>
        from path in SourceTree.Files(".cs")
        where path.StartsWith(project + "/", StringComparison.Ordinal)
        select (path, string.Join('\n', SourceTree.Lines(path)));
}
