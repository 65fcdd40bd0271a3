namespace Telemetry.TestKit.Servers;

/// <summary>
/// A Kafka broker (one node that is its own controller, KRaft) on ports and a folder of its own, from the jars that
/// TELEMETRY_KAFKA_DIR names, with the machine's Java. Ports and data stay the same over <see cref="Kill"/> and
/// <see cref="Restart"/>. Topics are made by nobody but an admin client.
/// </summary>
public sealed class KafkaServer : IAsyncDisposable
{
    /// <summary>The variable that names the folder: one with <c>lib</c> or <c>libs</c> full of jars.</summary>
    public const string Variable = "TELEMETRY_KAFKA_DIR";

    private const string Java = "java";
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private readonly int _controllerPort = FreePort.Next();
    private ServerProcess? _process;

    private KafkaServer()
    {
    }

    public int Port { get; } = FreePort.Next();

    public string Address => $"127.0.0.1:{Port}";

    public ServerProcess Process => _process ?? throw new InvalidOperationException("The broker is down.");

    /// <summary>True where a folder is named, whatever is in it: then the broker has to start.</summary>
    public static bool IsNamed => NamedFolder.Length > 0;

    /// <summary>Starts a new, empty broker.</summary>
    public static async Task<KafkaServer> Start()
    {
        var server = new KafkaServer();
        return await StartedServer.OrDisposed(server, async () =>
        {
            await File.WriteAllTextAsync(server.Properties, server.Configuration());
            await Spawner.Run(server.Command("-Xmx128m", "kafka.tools.StorageTool", "format", "--standalone",
                "-t", ClusterId(), "-c", server.Properties));
            await server.Restart();
        });
    }

    /// <summary>SIGKILL; it recovers from its logs when it is started again.</summary>
    public async Task Kill()
    {
        await Process.DisposeAsync();
        _process = null;
    }

    /// <summary>Starts it again on the same ports and data, killing it first if it runs.</summary>
    public async Task Restart()
    {
        if (_process is not null)
        {
            await Kill();
        }

        _process = await ServerProcess.Start(
            Command("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", Properties));
        await _process.WaitUntilReady(Probe.Accepts(Port), ReadyWithin);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await Kill();
        }

        await _folder.DisposeAsync();
    }

    private static string NamedFolder => Environment.GetEnvironmentVariable(Variable) ?? "";

    private string Properties => _folder.At("server.properties");

    // Kafka's ids are 16 bytes in URL-safe base 64 without padding.
    private static string ClusterId() =>
        Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', 'a').Replace('/', 'b');

    private ServerCommand Command(params string[] arguments) => new(
        Programs.Require(Java),
        [
            "-cp", Path.Combine(
                new[] { "lib", "libs" }.Select(name => Path.Combine(NamedFolder, name)).FirstOrDefault(Directory.Exists)
                    ?? throw new DirectoryNotFoundException(
                        $"{Variable} names no folder with lib or libs of Kafka's jars."), "*"),
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            // No log file of a distribution's log4j beside us, no file of performance counters in the temporary folder.
            $"-Dkafka.logs.dir={_folder.At("logs")}", "-XX:-UsePerfData", $"-Djava.io.tmpdir={_folder.FullPath}",
            .. arguments,
        ])
    {
        Folder = _folder.FullPath,
    };

    private string Configuration() => $"""
        process.roles=broker,controller
        node.id=1
        controller.quorum.bootstrap.servers=127.0.0.1:{_controllerPort}
        listeners=PLAINTEXT://127.0.0.1:{Port},CONTROLLER://127.0.0.1:{_controllerPort}
        advertised.listeners=PLAINTEXT://127.0.0.1:{Port}
        controller.listener.names=CONTROLLER
        inter.broker.listener.name=PLAINTEXT
        listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
        log.dirs={_folder.At("data")}
        auto.create.topics.enable=false
        offsets.topic.num.partitions=1
        offsets.topic.replication.factor=1
        transaction.state.log.num.partitions=1
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        share.coordinator.state.topic.replication.factor=1
        share.coordinator.state.topic.min.isr=1
        group.initial.rebalance.delay.ms=0

        """;
}
