using Confluent.Kafka;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// librdkafka's configurations: the operator's properties, and over them those that exactly once hangs on.
/// </summary>
internal static class KafkaConfiguration
{
    public static ProducerConfig Producer(KafkaOptions options) => new(Client(options))
    {
        TransactionalId = options.TransactionalId,
        EnableIdempotence = true,
        Acks = Acks.All,
        TransactionTimeoutMs = (int)options.TransactionTimeout.TotalMilliseconds,
        // As Java's clients do: the same device goes to the same partition whoever produces.
        Partitioner = Partitioner.Murmur2Random,
    };

    public static ConsumerConfig Consumer(KafkaOptions options, IsolationLevel isolation) => new(Client(options))
    {
        // Never joined, no offset is ever committed: librdkafka wants a name all the same.
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
