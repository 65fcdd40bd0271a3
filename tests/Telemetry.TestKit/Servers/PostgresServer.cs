using System.Globalization;
using Npgsql;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// A PostgreSQL server on a port and a data directory of its own, user postgres, password postgres. Both stay the
/// same over all kinds of stop and <see cref="Start()"/>.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    public const string User = "postgres";
    public const string Password = "postgres";

    private readonly TemporaryFolder _folder = new();
    private readonly PostgresOptions _options;
    private ServerProcess? _process;

    private PostgresServer(PostgresOptions options)
    {
        _options = options;
        DataDirectory = _folder.At("data");
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Username = User,
            Password = Password,
            Database = "postgres",
            IncludeErrorDetail = true,
        }.ConnectionString;
    }

    public int Port { get; } = FreePort.Next();

    public string DataDirectory { get; }

    public string ConnectionString { get; }

    public ServerProcess Process => _process ?? throw new InvalidOperationException("The server is down.");

    /// <summary>Starts a new, empty server.</summary>
    public static async Task<PostgresServer> Start(PostgresOptions? options)
    {
        var server = new PostgresServer(options ?? new PostgresOptions());
        return await StartedServer.OrDisposed(server, async () =>
        {
            await PostgresTemplate.CopyTo(server.DataDirectory);
            await PostgresTemplate.MakeFolder(server._folder.At("socket"));
            await server.Start();
        });
    }

    /// <summary>Starts it again after any kind of stop; it recovers from its write-ahead log by itself.</summary>
    public async Task Start()
    {
        if (_process is not null)
        {
            throw new InvalidOperationException("The server runs already.");
        }

        _process = await ServerProcess.Start(
            new ServerCommand(PostgresTemplate.Program("postgres"), [.. Arguments()])
            {
                Folder = _folder.FullPath,
                User = PostgresTemplate.User,
                Environment = new Dictionary<string, string> { ["LC_ALL"] = "C", ["TZ"] = "UTC" },
            });
        await _process.WaitUntilReady(Answers);
    }

    /// <summary>An orderly stop that ends sessions ("fast").</summary>
    public Task Stop() => End(ProcessSignal.Interrupt);

    /// <summary>Sessions end at once and nothing is flushed ("immediate"); the next start recovers.</summary>
    public Task ImmediateStop() => End(ProcessSignal.Quit);

    /// <summary>
    /// SIGKILL to the server and to all of its sessions and workers: a session that is busy would outlive the
    /// server, and keep the next one from starting.
    /// </summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        _process = null;
    }

    /// <summary>
    /// Copies the data directory, server down: what an operator's file backup is. The target must not exist.
    /// </summary>
    public Task CopyDataDirectory(string to)
    {
        RequireDown();
        return PostgresTemplate.CopyDirectory(DataDirectory, to);
    }

    /// <summary>Puts an earlier copy in the place of the data directory, server down.</summary>
    public async Task ReplaceDataDirectory(string from)
    {
        RequireDown();
        TemporaryFolder.Delete(DataDirectory);
        await PostgresTemplate.CopyDirectory(from, DataDirectory);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await End(ProcessSignal.Quit);
        }

        await SharedMemory.RemoveLeftoverOf(DataDirectory);
        await _folder.DisposeAsync();
    }

    private IEnumerable<string> Arguments()
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = _folder.At("socket"),
            ["fsync"] = _options.ForceToDisk ? "on" : "off",
            // Only files in the data directory, so that a killed server leaves nothing in /dev/shm.
            ["dynamic_shared_memory_type"] = "mmap",
            ["shared_buffers"] = "64MB",
            ["timezone"] = "UTC",
        };
        foreach (var (name, value) in _options.Settings)
        {
            settings[name] = value;
        }

        return settings.SelectMany(setting => (string[])["-c", $"{setting.Key}={setting.Value}"])
            .Prepend(DataDirectory).Prepend("-D");
    }

    private async Task<bool> Answers(CancellationToken cancellation)
    {
        var once = new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, Timeout = 5 };
        await using var connection = new NpgsqlConnection(once.ConnectionString);
        await connection.OpenAsync(cancellation);
        return true;
    }

    private async Task End(ProcessSignal signal)
    {
        await Process.Stop(signal);
        await Kill();
    }

    private void RequireDown()
    {
        if (_process is not null)
        {
            throw new InvalidOperationException("Stop the server first.");
        }
    }
}
