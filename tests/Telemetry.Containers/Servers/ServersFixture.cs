using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Telemetry.Containers.Engine;
using Telemetry.Containers.Images;
using Telemetry.TestKit.Servers;
using Testcontainers.Kafka;
using Testcontainers.PostgreSql;

namespace Telemetry.Containers.Servers;

/// <summary>One of each server in a container, for the contracts and for what each says of itself.</summary>
public sealed class ServersFixture : IAsyncLifetime
{
    public const int MosquittoPort = 1883;

    private readonly List<IAsyncDisposable> _started = [];

    internal NatsContainer Nats { get; private set; } = null!;

    internal PostgreSqlContainer Timescale { get; private set; } = null!;

    internal KafkaContainer Kafka { get; private set; } = null!;

    internal IContainer Mosquitto { get; private set; } = null!;

    /// <summary>Of mosquitto, on this machine's loopback.</summary>
    internal int MqttPort { get; } = FreePort.Next();

    // Where there is no engine all tests of the collection are skipped, or fail here.
    public async Task InitializeAsync()
    {
        if (!DockerEngine.IsThere())
        {
            return;
        }

        try
        {
            _started.Add(Nats = new NatsContainer());
            _started.Add(Timescale = new PostgreSqlBuilder(ImageNames.Timescale).OfThisRun().Build());
            _started.Add(Kafka = new KafkaBuilder(ImageNames.Kafka)
                .WithEnvironment("KAFKA_HEAP_OPTS", "-Xms128m -Xmx512m").OfThisRun().Build());
            _started.Add(Mosquitto = new ContainerBuilder(ImageNames.Mosquitto)
                .WithResourceMapping("listener 1883\nallow_anonymous true\nsys_interval 1\n"u8.ToArray(), "/test.conf")
                .WithCommand("mosquitto", "-c", "/test.conf")
                .WithPortBinding(MqttPort, MosquittoPort)
                .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("mosquitto version .* running"))
                .OfThisRun().Build());
            await Task.WhenAll(
                Nats.StartAsync(), Timescale.StartAsync(), Kafka.StartAsync(), Mosquitto.StartAsync());
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(_started.Select(container => container.DisposeAsync().AsTask()));
        _started.Clear();
    }
}

/// <summary>Tests that share the servers.</summary>
[CollectionDefinition(Name)]
public sealed class ServersCollection : ICollectionFixture<ServersFixture>
{
    public const string Name = "servers in containers";
}
