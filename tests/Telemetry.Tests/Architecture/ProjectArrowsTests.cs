using System.Xml.Linq;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// Who may see whom: Agent → Edge → shared, Simulator → Edge, Cloud → Streams → shared. Those of shared/ never see one
/// another, edge and cloud meet only there, and nothing sees the tests. The edge speaks MQTT through MQTTnet.
/// </summary>
public sealed class ProjectArrowsTests
{
    private static readonly string[] Shared =
        ["Telemetry.Model", "Telemetry.MqttSessions", "Telemetry.Tracing"];

    private static readonly string[] SharedOfEdge = ["Telemetry.Model", "Telemetry.Tracing"];

    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["Telemetry.Model"] = [],
        ["Telemetry.MqttSessions"] = [],
        ["Telemetry.Tracing"] = [],
        ["Telemetry.Edge"] = SharedOfEdge,
        ["Telemetry.Agent"] = ["Telemetry.Edge", .. SharedOfEdge],
        ["Telemetry.Simulator"] = ["Telemetry.Edge", .. SharedOfEdge],
        ["Telemetry.Streams"] = ["Telemetry.Model"],
        ["Telemetry.Cloud"] = ["Telemetry.Streams", .. Shared],
    };

    /// <summary>Tests see everything; that nothing sees them follows from the lists of all others.</summary>
    public static TheoryData<string> Projects =>
        [.. SourceTree.Files(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_references_only_what_it_may_see(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(MayReference.ContainsKey(name), $"{name} is new: say in this test what it may reference.");

        Assert.Empty(ReferencesOf(SourceTree.Lines(project)).Except(MayReference[name]));
    }

    /// <summary>A library has its room: nobody else sees its types.</summary>
    [Theory]
    [InlineData("MQTTnet", "Telemetry.Edge", "Telemetry.MqttSessions")]
    [InlineData("NATS.Client.JetStream", "Telemetry.Streams")]
    [InlineData("Microsoft.Data.Sqlite.Core", "Telemetry.Edge")]
    public void Package_is_referenced_only_where_it_has_its_room(string package, params string[] rooms)
    {
        var found = SourceTree.Files(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
            .Where(path => PackagesOf(SourceTree.Lines(path)).Contains(package))
            .Select(path => Path.GetFileNameWithoutExtension(path)!).ToArray();

        Assert.NotEmpty(found);
        Assert.Empty(found.Except(rooms));
    }

    [Fact]
    public void Every_project_of_the_design_is_there()
    {
        var found = SourceTree.Files(".csproj").Select(Path.GetFileNameWithoutExtension).ToHashSet();

        Assert.Superset(MayReference.Keys.ToHashSet(), found!);
        Assert.Contains(
            "Telemetry.Edge", ReferencesOf(SourceTree.Lines("edge/Telemetry.Agent/Telemetry.Agent.csproj")));
    }

    [Theory]
    [InlineData("ProjectReference", "../../cloud/Telemetry.Cloud/Telemetry.Cloud.csproj")]
    [InlineData("ProjectReference", "..\\..\\cloud\\Telemetry.Cloud\\Telemetry.Cloud.csproj")]
    [InlineData("Reference", "Telemetry.Cloud")]
    public void Reference_is_seen_however_it_is_written(string element, string include) =>
        Assert.Equal(["Telemetry.Cloud"], ReferencesOf([$"<Project><{element} Include=\"{include}\"/></Project>"]));

    private static IEnumerable<string?> PackagesOf(string[] project) =>
        from element in XDocument.Parse(string.Concat(project)).Descendants()
        where element.Name.LocalName == "PackageReference"
        select element.Attribute("Include")?.Value;

    // A reference to the built assembly would be an arrow too.
    private static IEnumerable<string> ReferencesOf(string[] project) =>
        from element in XDocument.Parse(string.Concat(project)).Descendants()
        where element.Name.LocalName is "ProjectReference" or "Reference"
        let include = element.Attribute("Include")?.Value.Replace('\\', '/').Split('/')[^1]
        where include?.StartsWith("Telemetry.", StringComparison.Ordinal) == true
        select include.EndsWith(".csproj", StringComparison.Ordinal) ? include[..^".csproj".Length] : include;
}
