namespace Telemetry.TestKit.Servers;

/// <summary>
/// Debian's prometheus-alertmanager on a port of its own, with a folder of its own and no peers. It notifies nobody.
/// </summary>
public sealed class AlertmanagerServer : IAsyncDisposable
{
    public const string Program = "prometheus-alertmanager";

    private readonly TemporaryFolder _folder = new();
    private ServerProcess? _process;

    private AlertmanagerServer()
    {
    }

    public int Port { get; } = FreePort.Next();

    /// <summary>The address of its API.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}");

    public static async Task<AlertmanagerServer> Start()
    {
        var server = new AlertmanagerServer();
        return await StartedServer.OrDisposed(server, async () =>
        {
            await File.WriteAllTextAsync(server._folder.At("alertmanager.yml"), """
                route:
                  receiver: nobody
                receivers:
                  - name: nobody

                """);
            server._process = await ServerProcess.Start(new ServerCommand(
                Programs.Require(Program), $"--config.file={server._folder.At("alertmanager.yml")}",
                $"--storage.path={server._folder.At("data")}", $"--web.listen-address=127.0.0.1:{server.Port}",
                "--cluster.listen-address=")
            {
                Folder = server._folder.FullPath,
            });
            await server._process.WaitUntilReady(Probe.Accepts(server.Port));
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
}
