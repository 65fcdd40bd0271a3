namespace Telemetry.Tests.Architecture;

/// <summary>The project's own files, found from where the tests run.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    /// <summary>Files of edge/, cloud/, shared/ and tests/ with that ending, as paths relative to the root.</summary>
    public static IEnumerable<string> Files(string ending) =>
        from folder in (string[])["edge", "cloud", "shared", "tests"]
        from path in Directory.EnumerateFiles(Path.Combine(Root, folder), "*" + ending, SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Root, path).Replace('\\', '/')
        where !relative.Contains("/bin/", StringComparison.Ordinal)
            && !relative.Contains("/obj/", StringComparison.Ordinal)
        select relative;

    public static string[] Lines(string relative) => File.ReadAllLines(Path.Combine(Root, relative));

    private static string FindRoot(string folder) =>
        File.Exists(Path.Combine(folder, "Telemetry.sln")) ? folder : FindRoot(Path.GetDirectoryName(folder)!);
}
