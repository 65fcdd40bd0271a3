using Docker.DotNet;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using DotNet.Testcontainers.Images;
using DotNet.Testcontainers.Networks;
using Telemetry.Containers.Engine;
using Telemetry.Containers.Images;
using Telemetry.TestKit.Servers;
using Telemetry.Tests.Architecture;
using Testcontainers.Kafka;
using Testcontainers.PostgreSql;

namespace Telemetry.Containers.Chain;

/// <summary>
/// The trial of docker-compose.yml in networks of its own: senders reach the agent through one, the agent the cloud
/// through the second, and the cloud alone its servers through the third.
/// </summary>
internal sealed class TrialChain : IAsyncDisposable
{
    public const string Gateway = "gateway-1";

    private const int InputPortInside = 8086, KafkaPortInside = 19092;
    private readonly TrialSettings _settings = new();
    private readonly List<IContainer> _containers = [];
    private readonly List<IFutureDockerImage> _images = [];
    private readonly INetwork _site = Network("site");
    private readonly INetwork _servers = Network("servers");

    /// <summary>
    /// Between agent and cloud. No way leads out of it, so that the agent's port is published into the other one.
    /// </summary>
    public INetwork Field { get; } = new NetworkBuilder()
        .WithName(NetworkName("field"))
        .WithCreateParameterModifier(network => network.Internal = true)
        .OfThisRun().Build();

    public IContainer Nats { get; private set; } = null!;

    public PostgreSqlContainer Database { get; private set; } = null!;

    public KafkaContainer Kafka { get; private set; } = null!;

    public IContainer Cloud { get; private set; } = null!;

    public IContainer Agent { get; private set; } = null!;

    /// <summary>Where the agent takes line protocol.</summary>
    public int InputPort { get; } = FreePort.Next();

    public string InputToken => _settings.Secret("TELEMETRY_INPUT_TOKEN");

    private int DatabasePort { get; } = FreePort.Next();

    public string ConnectionString =>
        $"Host=127.0.0.1;Port={DatabasePort};Database=telemetry;Username=telemetry;Timeout=5;Command Timeout=30;"
        + $"Password={_settings.Secret("TELEMETRY_DATABASE_PASSWORD")}";

    /// <summary>Makes the images, starts the servers beside, and the programs once these are ready.</summary>
    public static async Task<TrialChain> StartAsync()
    {
        var chain = new TrialChain();
        return await StartedServer.OrDisposed(chain, chain.StartAllAsync);
    }

    /// <summary>What the agent says; null while it is down.</summary>
    public async Task<AgentStatus?> StatusAsync()
    {
        try
        {
            var answer = await Agent.ExecAsync(["probe", "9180", "/status"]);
            return answer.ExitCode == 0 ? AgentStatus.Of(answer.Stdout) : null;
        }
        catch (DockerApiException)
        {
            return null;
        }
    }

    /// <summary>The end of what the programs have logged, for the message of a failure.</summary>
    public async Task<string> LogsAsync()
    {
        const int lines = 30;
        var logs = new List<string>();
        foreach (var container in (IContainer[])[Cloud, Agent])
        {
            var (output, errors) = await container.GetLogsAsync(timestampsEnabled: false);
            logs.Add($"--- {container.Image.FullName}");
            logs.AddRange((output + errors).Split('\n').TakeLast(lines));
        }

        return string.Join('\n', logs);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_containers.Select(container => container.DisposeAsync().AsTask()));
        await Task.WhenAll(((INetwork[])[_site, Field, _servers]).Select(network => network.DeleteAsync()));
        await Task.WhenAll(_images.Select(image => image.DeleteAsync()));
    }

    private static INetwork Network(string name) =>
        new NetworkBuilder().WithName(NetworkName(name)).OfThisRun().Build();

    private static string NetworkName(string name) => $"telemetry-test-{Guid.NewGuid():N}-{name}";

    private async Task StartAllAsync()
    {
        _containers.Add(Nats = NatsServer());
        _containers.Add(Database = DatabaseServer());
        _containers.Add(Kafka = KafkaServer());
        var servers = Task.WhenAll(Nats.StartAsync(), Database.StartAsync(), Kafka.StartAsync());
        try
        {
            _images.Add(await ProgramImage.OfCloudAsync());
            _images.Add(await ProgramImage.OfAgentAsync());
            await Field.CreateAsync();
        }
        finally
        {
            await servers;
        }

        _containers.Add(Cloud = CloudProgram(_images[0]));
        await Cloud.StartAsync();
        await Cloud.ConnectAsync(Field, "cloud");
        _containers.Add(Agent = AgentProgram(_images[1]));
        await Agent.StartAsync();
        await Agent.ConnectAsync(Field, "agent");
    }

    private IContainer NatsServer() => new ContainerBuilder(ImageNames.Nats)
        .WithNetwork(_servers).WithNetworkAliases("nats")
        .WithEnvironment(_settings.Environment("nats"))
        // Mounted, as in the trial: nothing can be copied into a container that cannot be written.
        .WithBindMount(
            Path.Combine(SourceTree.Root, "deploy/containers/nats.conf"), "/etc/nats/telemetry.conf",
            AccessMode.ReadOnly)
        .WithCreateParameterModifier(TrialSettings.AsService("nats"))
        .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("Server is ready"))
        .OfThisRun().Build();

    private PostgreSqlContainer DatabaseServer() => new PostgreSqlBuilder(ImageNames.Timescale)
        .WithNetwork(_servers).WithNetworkAliases("timescaledb")
        .WithDatabase("telemetry").WithUsername("telemetry")
        .WithPassword(_settings.Secret("TELEMETRY_DATABASE_PASSWORD"))
        .WithPortBinding(DatabasePort, PostgreSqlBuilder.PostgreSqlPort)
        // The module switches them off, to be faster; the trial has them on, and so has who loses nothing.
        .WithCommand("-c", "fsync=on", "-c", "full_page_writes=on", "-c", "synchronous_commit=on")
        .WithCreateParameterModifier(TrialSettings.AsService("timescaledb"))
        .OfThisRun().Build();

    private KafkaContainer KafkaServer() => new KafkaBuilder(ImageNames.Kafka)
        .WithNetwork(_servers)
        .WithListener($"kafka:{KafkaPortInside}")
        .WithEnvironment("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
        .WithEnvironment("KAFKA_HEAP_OPTS", _settings.Environment("kafka")["KAFKA_HEAP_OPTS"])
        .WithCreateParameterModifier(TrialSettings.AsService("kafka"))
        .OfThisRun().Build();

    private IContainer CloudProgram(IImage image) => new ContainerBuilder(image)
        .WithNetwork(_servers).WithNetworkAliases("cloud")
        .WithEnvironment(_settings.Environment("cloud"))
        // The module's listener for other containers; the trial's is on 9092.
        .WithEnvironment("TELEMETRY__KAFKA__SERVERS", $"kafka:{KafkaPortInside}")
        .WithCreateParameterModifier(TrialSettings.AsService("cloud"))
        .WithWaitStrategy(Wait.ForUnixContainer().UntilCommandIsCompleted("probe", "9464", "/health/ready"))
        .OfThisRun().Build();

    private IContainer AgentProgram(IImage image) => new ContainerBuilder(image)
        .WithNetwork(_site)
        .WithEnvironment(_settings.Environment("agent"))
        .WithPortBinding(InputPort, InputPortInside)
        .WithCreateParameterModifier(TrialSettings.AsService("agent"))
        .WithWaitStrategy(Wait.ForUnixContainer().UntilCommandIsCompleted("probe", "9180", "/status"))
        .OfThisRun().Build();
}
