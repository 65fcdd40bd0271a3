using System.Globalization;
using Npgsql;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A TimescaleDB server of the Community edition: PostgreSQL as WebAssembly, run by Node.js, in memory. It has one
/// session, which its connections use in turn: a turn ends when no transaction is open. A transaction that waits for
/// another one waits until its time is over. It runs no jobs of itself: run_job(id) runs one.
/// </summary>
public sealed class TimescaleServer : IAsyncDisposable
{
    private const string Node = "node";

    // It compiles what it starts; a busy machine takes its time.
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private ServerProcess? _process;

    private TimescaleServer() => ConnectionString = new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = "postgres",
        Database = "postgres",
        SslMode = SslMode.Disable,
        // It would forget the prepared statements of all connections.
        NoResetOnClose = true,
        IncludeErrorDetail = true,
    }.ConnectionString;

    public int Port { get; } = FreePort.Next();

    public string ConnectionString { get; }

    /// <summary>The warnings of SQLSTATE 01000 of all connections, in order.</summary>
    public IReadOnlyList<string> Warnings => File.Exists(WarningsFile) ? File.ReadAllLines(WarningsFile) : [];

    private string WarningsFile => _folder.At("warnings");

    /// <summary>Its program with all packages; null where something is missing.</summary>
    public static string? FindProgram()
    {
        var folder = Folder(AppContext.BaseDirectory);
        return Programs.Find(Node) is not null && Directory.Exists(Path.Combine(folder, "node_modules"))
            ? Path.Combine(folder, "server.mjs")
            : null;
    }

    /// <summary>Starts a new, empty server.</summary>
    public static async Task<TimescaleServer> Start()
    {
        var server = new TimescaleServer();
        return await StartedServer.OrDisposed(server, async () =>
        {
            var program = FindProgram()
                ?? throw new FileNotFoundException("Node.js or its packages are not installed.");
            var port = server.Port.ToString(CultureInfo.InvariantCulture);
            server._process = await ServerProcess.Start(
                new ServerCommand(Programs.Require(Node), program, port, server.WarningsFile)
                {
                    Folder = server._folder.FullPath,
                });
            await server._process.WaitUntilReady(Probe.Accepts(server.Port), ReadyWithin);
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await _folder.DisposeAsync();
    }

    // Node.js looks for packages beside the program, so it runs from the source tree.
    private static string Folder(string below) => File.Exists(Path.Combine(below, "Telemetry.sln"))
        ? Path.Combine(below, "tests", "Telemetry.TestKit", "Servers", "Timescale")
        : Folder(Path.GetDirectoryName(below)!);
}
