using System.Text;
using Confluent.Kafka;
using Telemetry.TestKit.Contracts;

namespace Telemetry.TestKit.Servers;

/// <summary>
/// Reads a whole topic as somebody's consumer would, with code that shares nothing with the relay's own reading.
/// </summary>
public static class TopicConsumer
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Every record of the topic that a consumer of this isolation sees, up to the end of each partition.
    /// </summary>
    public static List<AlertSeen> ReadAll(string servers, string topic, bool committedOnly)
    {
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig
        {
            BootstrapServers = servers,
            GroupId = "test",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
            IsolationLevel = committedOnly ? IsolationLevel.ReadCommitted : IsolationLevel.ReadUncommitted,
        }).SetLogHandler((_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var partitions = admin.GetMetadata(topic, Within).Topics.Single().Partitions.Select(p => p.PartitionId)
            .ToHashSet();
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(topic, p, Offset.Beginning)));
        var seen = new List<AlertSeen>();
        var until = DateTimeOffset.UtcNow + Within;
        while (partitions.Count > 0)
        {
            if (DateTimeOffset.UtcNow > until)
            {
                throw new TimeoutException($"The topic {topic} did not end within {Within}.");
            }

            switch (consumer.Consume(TimeSpan.FromMilliseconds(200)))
            {
                case { IsPartitionEOF: true } end:
                    partitions.Remove(end.Partition);
                    break;
                case { } record:
                    seen.Add(new AlertSeen(
                        Encoding.UTF8.GetString(record.Message.Key),
                        record.Message.Value,
                        record.Message.Headers.ToDictionary(
                            h => h.Key, h => Encoding.UTF8.GetString(h.GetValueBytes()))));
                    break;
            }
        }

        return seen;
    }
}
