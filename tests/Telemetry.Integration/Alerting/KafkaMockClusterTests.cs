using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting;

public sealed class KafkaMockClusterTests
{
    [Fact]
    public async Task Mock_cluster_takes_what_a_relay_publishes_and_gives_it_to_a_consumer()
    {
        using var cluster = new KafkaMockCluster();
        cluster.CreateTopic("alerts", 2);
        cluster.CreateTopic("positions", 1);
        cluster.CreateTopic("state", 1);
        var options = new KafkaOptions
        {
            Servers = [cluster.Servers],
            AlertTopic = "alerts",
            PositionTopic = "positions",
            StateTopic = "state",
        };
        var row = AlertSamples.Rows(1, 1)[0];
        await using var producer = await new KafkaAlertSink(options, TimeProvider.System).BeginAsync(default);

        await producer.PublishAsync(
            [AlertSamples.Record(row)],
            new Dictionary<int, RelayPosition> { [1] = new(row.Head, DuplicateFilterWindow.None) },
            default);

        Assert.Equal(
            row.Id,
            Assert.Single(TopicConsumer.ReadAll(cluster.Servers, "alerts", committedOnly: true)).Headers["ce_id"]);
    }
}
