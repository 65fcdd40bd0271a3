namespace Telemetry.TestKit.Servers;

/// <summary>What a <see cref="MosquittoServer"/> is started with.</summary>
public sealed record MosquittoOptions
{
    /// <summary>Users with their passwords; empty: anybody may connect.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string>();

    /// <summary>Lines added to the generated mosquitto.conf.</summary>
    public string Configuration { get; init; } = "";
}

/// <summary>
/// A mosquitto broker on a port of its own, with its sessions kept on disk. Port and files stay the same over
/// <see cref="Kill"/>, <see cref="Stop"/> and <see cref="Restart"/>.
/// </summary>
public sealed class MosquittoServer : IAsyncDisposable
{
    public const string Program = "mosquitto";

    private readonly TemporaryFolder _folder = new();
    private readonly MosquittoOptions _options;
    private ServerProcess? _process;

    private MosquittoServer(MosquittoOptions options) => _options = options;

    public int Port { get; } = FreePort.Next();

    public ServerProcess Process => _process ?? throw new InvalidOperationException("The server is down.");

    public static async Task<MosquittoServer> Start(MosquittoOptions? options = null)
    {
        var server = new MosquittoServer(options ?? new MosquittoOptions());
        return await StartedServer.OrDisposed(server, async () =>
        {
            await server.Configure();
            await server.Restart();
        });
    }

    /// <summary>SIGKILL: sessions and messages that it had not saved are gone.</summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        _process = null;
    }

    /// <summary>An orderly stop, which saves sessions.</summary>
    public async Task Stop()
    {
        await Process.Stop();
        await Kill();
    }

    /// <summary>Starts it again on the same port and files, killing it first if it runs.</summary>
    public async Task Restart()
    {
        if (_process is not null)
        {
            await Kill();
        }

        _process = await ServerProcess.Start(
            new ServerCommand(Programs.Require(Program), "-c", _folder.At("mosquitto.conf"))
            {
                Folder = _folder.FullPath,
            });
        await _process.WaitUntilReady(Probe.Accepts(Port));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await Kill();
        }

        await _folder.DisposeAsync();
    }

    private async Task Configure()
    {
        var passwords = _folder.At("passwords");
        if (_options.Users.Count > 0)
        {
            await File.WriteAllTextAsync(passwords, "");
            File.SetUnixFileMode(passwords, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        foreach (var (user, password) in _options.Users)
        {
            await Spawner.Run(new ServerCommand(
                Programs.Require("mosquitto_passwd"), "-b", passwords, user, password)
            {
                Folder = _folder.FullPath,
            });
        }

        // "user": as root it would change to a user of its own, who cannot write into our folder.
        await File.WriteAllTextAsync(_folder.At("mosquitto.conf"), $"""
            listener {Port} 127.0.0.1
            user {Environment.UserName}
            persistence true
            persistence_location {_folder.FullPath}/
            log_dest stdout
            {(_options.Users.Count > 0 ? $"allow_anonymous false\npassword_file {passwords}" : "allow_anonymous true")}
            {_options.Configuration}

            """);
    }
}
