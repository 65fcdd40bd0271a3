using Confluent.Kafka;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// librdkafka's configurations: the operator's properties, overridden by those that exactly once depends on.
/// </summary>
internal static class KafkaConfiguration
{
    public static ProducerConfig Producer(KafkaOptions options) => new(Client(options))
    {
        TransactionalId = options.TransactionalId,
        EnableIdempotence = true,
        Acks = Acks.All,
        TransactionTimeoutMs = (int)options.TransactionTimeout.TotalMilliseconds,
        // As in Java's clients: a device goes to the same partition whichever client produces.
        Partitioner = Partitioner.Murmur2Random,
    };

    public static ConsumerConfig Consumer(KafkaOptions options, IsolationLevel isolation) => new(Client(options))
    {
        // The group is never joined and no offset is ever committed, but librdkafka requires a name.
        GroupId = options.TransactionalId + "-reader",
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        EnablePartitionEof = true,
        AutoOffsetReset = AutoOffsetReset.Error,
        IsolationLevel = isolation,
    };

    public static AdminClientConfig Admin(KafkaOptions options) => new(Client(options));

    private static Dictionary<string, string> Client(KafkaOptions options) => new(options.Properties)
    {
        ["bootstrap.servers"] = string.Join(',', options.Servers),
        ["client.id"] = options.TransactionalId,
    };
}
