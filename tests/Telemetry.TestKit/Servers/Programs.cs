using System.Globalization;

namespace Telemetry.TestKit.Servers;

/// <summary>Where this machine keeps the programs that tests start.</summary>
public static class Programs
{
    // Debian keeps servers outside of an ordinary user's PATH.
    private static readonly string[] AlsoIn = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin"];

    /// <summary>The full path of a program, or null when it is not installed.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(AlsoIn)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    /// <summary>The full path of a program that must be there.</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Require(string name) =>
        Find(name) ?? throw new FileNotFoundException(
            $"{name} is not installed; eng/install-servers.sh --tests does it.");

    /// <summary>The folder of the newest PostgreSQL's programs, or null.</summary>
    public static string? FindPostgresFolder()
    {
        const string debian = "/usr/lib/postgresql";
        var newest = !Directory.Exists(debian) ? null : Directory.EnumerateDirectories(debian)
            .Where(folder => File.Exists(Path.Combine(folder, "bin", "initdb")))
            .MaxBy(
                folder => double.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var v) ? v : 0);
        return newest is not null ? Path.Combine(newest, "bin") : Path.GetDirectoryName(Find("initdb"));
    }
}
