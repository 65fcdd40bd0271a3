using System.Text.RegularExpressions;
using Telemetry.Alerting.Kafka;
using Telemetry.Alerting.Routes;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>kafka</c>.</summary>
internal static partial class KafkaSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1);

    /// <summary>Null where no Kafka is configured.</summary>
    public static KafkaOptions? Read(SettingsReader reader, string transactionalId)
    {
        var or = new KafkaOptions();
        var options = or with
        {
            Servers = reader.List("kafka.servers", []),
            TransactionalId = transactionalId,
            AlertTopic = Topic(reader, "kafka.alertTopic", or.AlertTopic),
            PositionTopic = Topic(reader, "kafka.positionTopic", or.PositionTopic),
            StateTopic = Topic(reader, "kafka.stateTopic", or.StateTopic),
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
            reader.NotAllowed("kafka.servers", server, "host:port");
        }

        if (options.AlertTopic == options.PositionTopic)
        {
            reader.NotAllowed("kafka.positionTopic", options.PositionTopic, "another topic than kafka.alertTopic");
        }

        if (options.StateTopic == options.AlertTopic || options.StateTopic == options.PositionTopic)
        {
            reader.NotAllowed(
                "kafka.stateTopic", options.StateTopic, "another topic than kafka.alertTopic and kafka.positionTopic");
        }

        options = options with { Routes = Routes(reader) };
        foreach (var topic in options.Routes.Topics.Where(
            t => t == options.AlertTopic || t == options.PositionTopic || t == options.StateTopic))
        {
            reader.Problem(
                "kafka.routes", $"topic {topic} is one of the relay's own; every alert is in kafka.alertTopic anyway");
        }

        return options.Servers.Count == 0 ? null : options;
    }

    private static AlertRoutes Routes(SettingsReader reader)
    {
        if (reader.Text("kafka.routes") is not { } file)
        {
            return AlertRoutes.None;
        }

        var routes = AlertRoutesFile.Read(file, out var problems);
        foreach (var problem in problems)
        {
            reader.Problem("kafka.routes", problem);
        }

        return routes ?? AlertRoutes.None;
    }

    private static string Topic(SettingsReader reader, string key, string or)
    {
        var topic = reader.Text(key, or);
        if (!TopicName.IsAllowed(topic))
        {
            reader.NotAllowed(key, topic, TopicName.Rule);
        }

        return topic;
    }

    [GeneratedRegex(@"^(\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+):\d{1,5}$")]
    private static partial Regex Server();
}
