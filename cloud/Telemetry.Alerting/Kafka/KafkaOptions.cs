using Telemetry.Alerting.Routes;

namespace Telemetry.Alerting.Kafka;

/// <summary>How to connect to Kafka, and its topics of alerts.</summary>
public sealed record KafkaOptions
{
    /// <summary>Properties that only the relay sets: exactly once depends on them.</summary>
    public static readonly IReadOnlySet<string> OwnProperties = new HashSet<string>
    {
        "bootstrap.servers", "transactional.id", "enable.idempotence", "isolation.level", "group.id",
        "enable.auto.commit",
        "enable.partition.eof", "acks", "request.required.acks", "transaction.timeout.ms", "partitioner",
        "auto.offset.reset",
    };

    /// <summary>The brokers to connect to first: host:port.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>Kafka's transactional id: all relays of one database have the same.</summary>
    public string TransactionalId { get; init; } = "telemetry-relay";

    /// <summary>The topic of alerts.</summary>
    public string AlertTopic { get; init; } = "telemetry.alerts";

    /// <summary>The topic of positions, compacted.</summary>
    public string PositionTopic { get; init; } = "telemetry.alerts.position";

    /// <summary>
    /// The compacted topic of the alerts that are open: a record an instance, keyed by its id, and a null when it ends.
    /// </summary>
    public string StateTopic { get; init; } = "telemetry.alerts.state";

    /// <summary>Further topics, by what an alert says.</summary>
    public AlertRoutes Routes { get; init; } = AlertRoutes.None;

    /// <summary>True: missing topics are made. False: a missing topic is an error.</summary>
    public bool CreateTopics { get; init; } = true;

    /// <summary>The partitions of an alert topic that the relay makes.</summary>
    public int TopicPartitions { get; init; } = 4;

    /// <summary>The replicas of topics that the relay makes.</summary>
    public short TopicReplicas { get; init; } = 1;

    /// <summary>
    /// After this time the broker aborts a transaction that was left open; until then read_committed consumers wait for
    /// it.
    /// </summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time of one operation; after it the producer is given up and another one begins.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Further properties of librdkafka, such as security.protocol and sasl.*, passed on unchanged.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}
