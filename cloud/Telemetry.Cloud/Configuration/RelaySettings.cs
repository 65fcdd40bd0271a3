using System.Text.RegularExpressions;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Cloud.Hosting;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads the sections <c>kafka</c> and <c>relay</c>.</summary>
internal static partial class RelaySettings
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1), Second = TimeSpan.FromSeconds(1),
        Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);

    /// <summary>Null where no Kafka is configured.</summary>
    public static KafkaOptions? Kafka(SettingsReader reader, string transactionalId)
    {
        var or = new KafkaOptions();
        var options = or with
        {
            Servers = reader.List("kafka.servers", []),
            TransactionalId = transactionalId,
            AlertTopic = Topic(reader, "kafka.alertTopic", or.AlertTopic),
            PositionTopic = Topic(reader, "kafka.positionTopic", or.PositionTopic),
            CreateTopics = reader.Flag("kafka.createTopics", or.CreateTopics),
            TopicPartitions = reader.Number("kafka.topicPartitions", or.TopicPartitions, 1, 10_000),
            TopicReplicas = (short)reader.Number("kafka.topicReplicas", or.TopicReplicas, 1, 15),
            TransactionTimeout = reader.Span("kafka.transactionTimeout", or.TransactionTimeout, 5 * Second, Hour / 4),
            OperationTimeout = reader.Span("kafka.operationTimeout", or.OperationTimeout, 5 * Second, Hour),
            Properties = reader.Pairs("kafka.properties"),
        };
        foreach (var name in options.Properties.Keys.Where(KafkaOptions.OwnProperties.Contains))
        {
            reader.Problem($"kafka.properties.{name}", "is not allowed; the relay sets it itself");
        }

        foreach (var server in options.Servers.Where(s => !Server().IsMatch(s)))
        {
            reader.Problem("kafka.servers", $"'{server}' is not allowed; host:port is");
        }

        if (options.AlertTopic == options.PositionTopic)
        {
            reader.Problem(
                "kafka.positionTopic",
                $"'{options.PositionTopic}' is not allowed; another topic than kafka.alertTopic is");
        }

        return options.Servers.Count == 0 ? null : options;
    }

    public static RelayOptions Relay(SettingsReader reader)
    {
        var or = new RelayOptions();
        var options = or with
        {
            Name = reader.Text("relay.name") ?? or.Name,
            Owner = reader.Text("relay.owner") ?? ProcessIdentity.OfThisProcess,
            Source = reader.Text("relay.source") ?? or.Source,
            Lease = reader.Span("relay.lease", or.Lease, Second, Hour),
            RenewEvery = reader.Span("relay.renewEvery", or.RenewEvery, 100 * Millisecond, Hour),
            LeaseRetry = reader.Span("relay.leaseRetry", or.LeaseRetry, 100 * Millisecond, Hour),
            PollEvery = reader.Span("relay.pollEvery", or.PollEvery, 10 * Millisecond, Hour),
            BatchRowsMax = reader.Number("relay.batchRowsMax", or.BatchRowsMax, 1, 10_000),
            BatchBytesMax = (int)reader.Bytes("relay.batchBytesMax", or.BatchBytesMax, 1024, 64 << 20),
            RetryAfter = reader.Span("relay.retryAfter", or.RetryAfter, 10 * Millisecond, Hour),
            RetryAfterMax = reader.Span("relay.retryAfterMax", or.RetryAfterMax, 10 * Millisecond, Hour),
            ReadBackMargin = reader.Span("relay.readBackMargin", or.ReadBackMargin, Second, 365 * Day),
            ReadBackIdsMax = reader.Number("relay.readBackIdsMax", or.ReadBackIdsMax, 1000, 100_000_000),
            SkipFor = reader.Span("relay.skipFor", or.SkipFor, Hour, 3650 * Day),
        };
        if (options.RenewEvery * 2 > options.Lease)
        {
            reader.Problem(
                "relay.renewEvery", $"'{SettingUnits.Show(options.RenewEvery)}' is not allowed; at most half of "
                + $"relay.lease ({SettingUnits.Show(options.Lease)}) is");
        }

        if (!Uri.TryCreate(options.Source, UriKind.RelativeOrAbsolute, out _))
        {
            reader.Problem("relay.source", $"'{options.Source}' is not allowed; a URI or a reference to one is");
        }

        return options;
    }

    private static string Topic(SettingsReader reader, string key, string or)
    {
        var topic = reader.Text(key) ?? or;
        if (!TopicName().IsMatch(topic))
        {
            reader.Problem(
                key, $"'{topic}' is not allowed; 1 to 249 letters, digits, dots, underscores and hyphens are");
        }

        return topic;
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,249}$")]
    private static partial Regex TopicName();

    [GeneratedRegex(@"^(\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+):\d{1,5}$")]
    private static partial Regex Server();
}
