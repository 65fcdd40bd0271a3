using System.Xml.Linq;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// Who may see whom; all arrows run down. Agent and Simulator → Inputs → Edge → shared; Cloud → Ingress, Processing,
/// Alerting, Dashboard → Streams, Storage → shared. In shared/ Diagnostics alone sees another project: Runtime, whose
/// reader it needs for its section of the settings. Edge and cloud meet only there, and nothing sees the tests.
/// </summary>
public sealed class ProjectArrowsTests
{
    private static readonly string[] Shared = ["Telemetry.Model", "Telemetry.Runtime", "Telemetry.Diagnostics"];

    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["Telemetry.Model"] = [],
        ["Telemetry.Runtime"] = [],
        ["Telemetry.Diagnostics"] = ["Telemetry.Runtime"],
        ["Telemetry.MqttSessions"] = [],
        ["Telemetry.Edge"] = Shared,
        ["Telemetry.Inputs"] = ["Telemetry.Edge", .. Shared],
        ["Telemetry.Agent"] = ["Telemetry.Edge", "Telemetry.Inputs", .. Shared],
        // It runs the agent itself, many times in one process, and its inputs and core one by one.
        ["Telemetry.Simulator"] = ["Telemetry.Agent", "Telemetry.Inputs", "Telemetry.Edge", .. Shared],
        ["Telemetry.Streams"] = Shared,
        ["Telemetry.Storage"] = Shared,
        ["Telemetry.Ingress"] = ["Telemetry.MqttSessions", "Telemetry.Streams", .. Shared],
        ["Telemetry.Processing"] = ["Telemetry.Storage", "Telemetry.Streams", .. Shared],
        ["Telemetry.Alerting"] = ["Telemetry.Storage", .. Shared],
        ["Telemetry.Dashboard"] = ["Telemetry.Storage", "Telemetry.Streams", .. Shared],
        ["Telemetry.Cloud"] =
        [
            "Telemetry.Ingress", "Telemetry.Processing", "Telemetry.Alerting", "Telemetry.Dashboard",
            "Telemetry.Storage", "Telemetry.Streams", "Telemetry.MqttSessions", .. Shared,
        ],
    };

    // Hash functions, which .NET has as a package of its own.
    private const string InEveryRoom = "System.IO.Hashing";

    /// <summary>The rooms of the libraries. What else is used is of .NET or ASP.NET Core.</summary>
    private static readonly Dictionary<string, string[]> Libraries = new()
    {
        ["Telemetry.Model"] = ["BouncyCastle.Cryptography"],
        ["Telemetry.Runtime"] = ["System.CommandLine"],
        ["Telemetry.Diagnostics"] =
            ["OpenTelemetry", "OpenTelemetry.Api", "OpenTelemetry.Exporter.OpenTelemetryProtocol"],
        ["Telemetry.MqttSessions"] = ["MQTTnet"],
        ["Telemetry.Edge"] = ["MQTTnet", "Microsoft.Data.Sqlite", "SQLitePCLRaw.core"],
        ["Telemetry.Agent"] = ["System.CommandLine"],
        ["Telemetry.Streams"] = ["NATS.Client.Abstractions", "NATS.Client.Core", "NATS.Client.JetStream"],
        ["Telemetry.Storage"] = ["Npgsql"],
        ["Telemetry.Alerting"] = ["Confluent.Kafka"],
        ["Telemetry.Cloud"] = ["System.CommandLine"],
    };

    /// <summary>Tests see everything; that nothing sees them follows from the lists of all others.</summary>
    public static TheoryData<string> Projects =>
        [.. SourceTree.Files(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))];

    public static TheoryData<string> Names => [.. MayReference.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_references_only_what_it_may_see(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(MayReference.ContainsKey(name), $"{name} is new: say in this test what it may reference.");

        Assert.Empty(ReferencesOf(SourceTree.Lines(project)).Except(MayReference[name]));
    }

    /// <summary>
    /// The core of the edge, and what it references: whoever references a project has its frameworks too.
    /// </summary>
    [Theory]
    [InlineData("shared/Telemetry.Model")]
    [InlineData("shared/Telemetry.Runtime")]
    [InlineData("shared/Telemetry.Diagnostics")]
    [InlineData("edge/Telemetry.Edge")]
    public void Core_is_without_ASP_NET(string folder)
    {
        var project = SourceTree.Lines($"{folder}/{Path.GetFileName(folder)}.csproj");

        Assert.DoesNotContain(project, line => line.Contains("FrameworkReference", StringComparison.Ordinal));
    }

    /// <summary>A library has its room: nobody else references it.</summary>
    [Theory]
    [InlineData("MQTTnet", "Telemetry.Edge", "Telemetry.MqttSessions")]
    [InlineData("NATS.Client.JetStream", "Telemetry.Streams")]
    [InlineData("Microsoft.Data.Sqlite.Core", "Telemetry.Edge")]
    [InlineData("Npgsql", "Telemetry.Storage")]
    [InlineData("Confluent.Kafka", "Telemetry.Alerting")]
    [InlineData("OpenTelemetry", "Telemetry.Diagnostics")]
    public void Package_is_referenced_only_where_it_has_its_room(string package, params string[] rooms)
    {
        var found = SourceTree.Files(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
            .Where(path => PackagesOf(SourceTree.Lines(path)).Contains(package))
            .Select(path => Path.GetFileNameWithoutExtension(path)!).ToArray();

        Assert.NotEmpty(found);
        Assert.Empty(found.Except(rooms));
    }

    /// <summary>
    /// A referenced project hands on what it references, so the built assemblies are looked at too.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Compiled_project_uses_only_projects_that_it_may_see(string name) =>
        Assert.Empty(CompiledReferences.Projects(name).Except(MayReference[name]));

    /// <summary>A library that is used by any other project is out of its room.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Compiled_project_uses_the_libraries_of_its_room_and_no_others(string name) =>
        Assert.Equal(
            Libraries.GetValueOrDefault(name, []).Order(),
            CompiledReferences.Libraries(name).Where(library => library != InEveryRoom).Order());

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
