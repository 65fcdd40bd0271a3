namespace Telemetry.Runtime.Commands;

/// <summary>What a program is named.</summary>
/// <param name="Name">Its own name, which <c>--version</c> prints.</param>
/// <param name="Called">The name that the user called it by, which its usage shows: for example that of a link.</param>
public sealed record ProgramName(string Name, string Called)
{
    /// <summary>A program that runs in this process.</summary>
    public static ProgramName OfThisProcess(string name)
    {
        try
        {
            // The runtime tells the path of the program or of its assembly, not that of a link to it.
            return Of(name, File.ReadAllText("/proc/self/cmdline").Split('\0')[0]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new ProgramName(name, name);
        }
    }

    /// <summary>
    /// A program that was started by <paramref name="command"/>, with or without folders before it. A dot in the file's
    /// name does not begin an extension. Where <c>dotnet</c> was started, the program's own name takes its place.
    /// </summary>
    internal static ProgramName Of(string name, string command) =>
        new(name, Path.GetFileName(command) is { Length: > 0 } file and not "dotnet" ? file : name);
}
