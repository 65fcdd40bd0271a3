namespace Telemetry.Alerting.Kafka;

/// <summary>How Kafka is reached, and the topics of alerts there.</summary>
public sealed record KafkaOptions
{
    /// <summary>Properties that are the relay's own: exactly once hangs on them.</summary>
    public static readonly IReadOnlySet<string> OwnProperties = new HashSet<string>
    {
        "bootstrap.servers", "transactional.id", "enable.idempotence", "isolation.level", "group.id",
        "enable.auto.commit",
        "enable.partition.eof", "acks", "request.required.acks", "transaction.timeout.ms", "partitioner",
        "auto.offset.reset",
    };

    /// <summary>Brokers to begin with: host:port.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Kafka's transactional id: all relays of one database have the same.</summary>
    public string TransactionalId { get; init; } = "telemetry-relay";

    /// <summary>The topic of alerts.</summary>
    public string AlertTopic { get; init; } = "telemetry.alerts";

    /// <summary>The topic of positions, compacted.</summary>
    public string PositionTopic { get; init; } = "telemetry.alerts.position";

    /// <summary>Makes topics that are missing; without it a missing topic is an error.</summary>
    public bool CreateTopics { get; init; } = true;

    /// <summary>Partitions of an alert topic that is made.</summary>
    public int TopicPartitions { get; init; } = 4;

    /// <summary>Replicas of topics that are made.</summary>
    public short TopicReplicas { get; init; } = 1;

    /// <summary>
    /// After so long the broker aborts a transaction that was left open; until then read_committed consumers wait
    /// behind it.
    /// </summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one operation may take before the producer is given up and another one begins.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Further properties of librdkafka, such as security.protocol and sasl.*, passed on as they are.
    /// </summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
