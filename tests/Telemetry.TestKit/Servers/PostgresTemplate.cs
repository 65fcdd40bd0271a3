namespace Telemetry.TestKit.Servers;

/// <summary>
/// One initialised data directory a test process. initdb takes a second or two, a copy of its result a tenth of
/// that.
/// </summary>
internal static class PostgresTemplate
{
    private static readonly Lazy<Task<string>> Made = new(Make);

    /// <summary>PostgreSQL refuses to run as root: then everything of it runs as the user that Debian made.</summary>
    public static string? User { get; } = Environment.IsPrivilegedProcess ? "postgres" : null;

    public static string Program(string name) => Path.Combine(
        Programs.FindPostgresFolder() ?? throw new FileNotFoundException("PostgreSQL is not installed."), name);

    /// <summary>Copies the template; <paramref name="to"/> must not exist.</summary>
    public static async Task CopyTo(string to) => await CopyDirectory(await Made.Value, to);

    /// <summary>A copy with owners, modes and times kept.</summary>
    public static Task CopyDirectory(string from, string to) =>
        Spawner.Run(new ServerCommand(Programs.Require("cp"), "-a", "--", from, to) { Folder = Path.GetTempPath() });

    /// <summary>Makes a folder that the server's user owns.</summary>
    public static Task MakeFolder(string path) => Spawner.Run(new ServerCommand(
        Programs.Require("install"), ["-d", "-m", "0700", .. User is null ? (string[])[] : ["-o", User], "--", path])
    {
        Folder = Path.GetTempPath(),
    });

    private static async Task<string> Make()
    {
        var folder = new TemporaryFolder(); // Never disposed: it serves until our end, and is deleted then.
        var data = folder.At("data");
        var password = folder.At("password");
        await MakeFolder(data);
        await File.WriteAllTextAsync(password, PostgresServer.Password + "\n");
        await Spawner.Run(new ServerCommand(
            Program("initdb"), "-D", data, "-U", PostgresServer.User, "--pwfile", password, "--auth", "scram-sha-256",
            "--encoding", "UTF8", "--locale", "C", "--no-sync")
        {
            Folder = folder.FullPath,
            User = User,
        });
        return data;
    }
}
