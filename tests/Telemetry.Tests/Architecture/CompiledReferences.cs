using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Tests.Architecture;

/// <summary>
/// What a built assembly references. The compiler writes down an assembly that the code uses, however its name is
/// written there, and through whichever other project it came.
/// </summary>
internal static class CompiledReferences
{
    private const string Ours = "Telemetry.";

    // .NET itself and ASP.NET Core: the folders that their assemblies are loaded from.
    private static readonly string[] Frameworks = [FolderOf(typeof(object)), FolderOf(typeof(HttpContext))];

    /// <summary>Projects of this tree.</summary>
    public static IEnumerable<string> Projects(string project) =>
        All(project).Where(name => name.StartsWith(Ours, StringComparison.Ordinal));

    /// <summary>Libraries that are of neither this tree nor .NET.</summary>
    public static IEnumerable<string> Libraries(string project) => All(project).Where(name =>
        !name.StartsWith(Ours, StringComparison.Ordinal)
        && !Frameworks.Any(folder => File.Exists(Path.Combine(folder, name + ".dll"))));

    private static List<string> All(string project)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, project + ".dll"));
        using var assembly = new PEReader(file);
        var metadata = assembly.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(
            reference => metadata.GetString(metadata.GetAssemblyReference(reference).Name))];
    }

    private static string FolderOf(Type type) => Path.GetDirectoryName(type.Assembly.Location)!;
}
