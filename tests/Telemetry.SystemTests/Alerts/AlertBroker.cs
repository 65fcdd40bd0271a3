using Telemetry.TestKit.Servers;

namespace Telemetry.SystemTests.Alerts;

/// <summary>
/// The Kafka that alerts go to: the one that KAFKA_BOOTSTRAP names; else a broker of our own from the jars that
/// TELEMETRY_KAFKA_DIR names; where neither is set, librdkafka's mock cluster inside of this process.
/// </summary>
public sealed class AlertBroker : IAsyncDisposable
{
    private const string Bootstrap = "KAFKA_BOOTSTRAP";
    private const int AlertPartitions = 4;

    private KafkaServer? _server;
    private KafkaMockCluster? _mock;

    private AlertBroker(string servers, string name, string topic) => (Servers, Name, Topic) = (servers, name, topic);

    /// <summary>Brokers to begin with.</summary>
    public string Servers { get; }

    /// <summary>What people are told of it.</summary>
    public string Name { get; }

    /// <summary>Where alerts go; a Kafka of somebody's gets a topic for each run.</summary>
    public string Topic { get; }

    /// <summary>Where the relay's position goes.</summary>
    public string PositionTopic => Topic + ".position";

    /// <summary>Where the alerts that are open stand.</summary>
    public string StateTopic => Topic + ".state";

    /// <summary>False for the mock cluster, whose transactions mean nothing.</summary>
    public bool IsReal => _mock is null;

    /// <summary>Finds one or starts one.</summary>
    public static async Task<AlertBroker> StartAsync()
    {
        if (Environment.GetEnvironmentVariable(Bootstrap) is { Length: > 0 } servers)
        {
            return new AlertBroker(
                servers, $"Kafka at {servers}",
                $"telemetry.system-tests.{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}");
        }

        if (KafkaServer.IsNamed)
        {
            var server = await KafkaServer.Start();
            return new AlertBroker(
                server.Address, "a Kafka broker of our own", "telemetry.alerts")
            { _server = server };
        }

        var mock = new KafkaMockCluster();
        var broker = new AlertBroker(
            mock.Servers, "librdkafka's mock cluster (no Kafka: it shows alerts, its transactions prove nothing)",
            "telemetry.alerts")
        {
            _mock = mock,
        };
        mock.CreateTopic(broker.Topic, AlertPartitions);
        mock.CreateTopic(broker.PositionTopic, 1);
        mock.CreateTopic(broker.StateTopic, 1);
        return broker;
    }

    public async ValueTask DisposeAsync()
    {
        _mock?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
