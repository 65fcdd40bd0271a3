namespace Telemetry.TestKit.Servers;

/// <summary>
/// A nats-server with JetStream on a port and a store of its own. Port and store stay the same over
/// <see cref="Kill"/>, <see cref="Stop"/> and <see cref="Restart"/>.
/// </summary>
public sealed class NatsServer : IAsyncDisposable
{
    public const string Program = "nats-server";

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _arguments;
    private ServerProcess? _process;

    private NatsServer(string configuration)
    {
        StoreDirectory = _folder.At("store");
        _arguments = ["-js", "-a", "127.0.0.1", "-p", $"{Port}", "-sd", StoreDirectory];
        if (configuration.Length > 0)
        {
            File.WriteAllText(_folder.At("nats.conf"), configuration);
            _arguments.AddRange(["-c", _folder.At("nats.conf")]);
        }
    }

    public int Port { get; } = FreePort.Next();

    /// <summary>JetStream's files. Touch them only while the server is down.</summary>
    public string StoreDirectory { get; }

    public string Url => $"nats://127.0.0.1:{Port}";

    public ServerProcess Process => _process ?? throw new InvalidOperationException("The server is down.");

    /// <summary>Starts a new server; <paramref name="configuration"/> is text for its configuration file.</summary>
    public static async Task<NatsServer> Start(string configuration = "")
    {
        var server = new NatsServer(configuration);
        return await StartedServer.OrDisposed(server, server.Restart);
    }

    /// <summary>SIGKILL; what it had not synced stays in the kernel, so this is a crash, not a loss of power.</summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        _process = null;
    }

    /// <summary>An orderly stop.</summary>
    public async Task Stop()
    {
        await Process.Stop();
        await Kill();
    }

    /// <summary>Starts it again on the same port and store, killing it first if it runs.</summary>
    public async Task Restart()
    {
        if (_process is not null)
        {
            await Kill();
        }

        _process = await ServerProcess.Start(
            new ServerCommand(Programs.Require(Program), _arguments) { Folder = _folder.FullPath });
        await _process.WaitUntilReady(Probe.Greets(Port, "INFO "));
    }

    /// <summary>Stops it, deletes everything that JetStream kept, starts it again: a log that was wiped.</summary>
    public async Task Wipe()
    {
        await Kill();
        TemporaryFolder.Delete(StoreDirectory);
        await Restart();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await Kill();
        }

        await _folder.DisposeAsync();
    }
}
