using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Telemetry.Alerting.Relay;

namespace Telemetry.Alerting.Kafka;

/// <summary>Makes the topics if they are missing, and checks that they are as the relay needs them.</summary>
public sealed class KafkaTopics(KafkaOptions options, TimeProvider time)
{
    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>The version of the Kafka client library.</summary>
    public static string LibraryVersion => Library.VersionString;

    private const string CleanupPolicy = "cleanup.policy", Compact = "compact";

    /// <summary>Makes missing topics. Throws if that is not allowed, or if a topic is not as needed.</summary>
    public async Task EnsureAsync()
    {
        try
        {
            using var admin = Build();
            var missing = await MissingAsync(admin);
            if (missing.Count > 0 && !options.CreateTopics)
            {
                throw new AlertSinkException(
                    AlertSinkFault.Broken,
                    $"missing topics: {string.Join(", ", missing)}; make them, or set kafka.createTopics to true");
            }

            await CreateAsync(admin, missing);
            if (missing.Count > 0)
            {
                await UntilThereAsync(admin);
            }

            await RequireCompactedAsync(admin, missing);
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From("look at Kafka's topics", e);
        }
    }

    /// <summary>Describes the existing topics in one line, and changes nothing.</summary>
    public async Task<string> DescribeAsync()
    {
        try
        {
            using var admin = Build();
            var missing = await MissingAsync(admin);
            await RequireCompactedAsync(admin, missing);

            return missing.Count == 0 ? $"all {Topics.Count()} topics made"
                : options.CreateTopics ? $"topics to be made: {string.Join(", ", missing)}"
                : throw new AlertSinkException(AlertSinkFault.Broken, $"missing topics: {string.Join(", ", missing)}");
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From("look at Kafka's topics", e);
        }
    }

    private string[] Compacted => [options.PositionTopic, options.StateTopic];

    private IEnumerable<string> Topics => [options.AlertTopic, .. Compacted, .. options.Routes.Topics];

    private IAdminClient Build() => new AdminClientBuilder(KafkaConfiguration.Admin(options))
        .SetLogHandler((_, _) => { }) // Errors that matter are returned by a call.
        .Build();

    // Lists all topics of the cluster: a query for one topic by name could make it.
    private async Task<List<string>> MissingAsync(IAdminClient admin)
    {
        await using var thread = new KafkaThread("kafka-topics");
        var metadata = await thread.DoAsync(() => admin.GetMetadata(options.OperationTimeout));
        var there = metadata.Topics.Where(t => t.Partitions.Count > 0 && t.Partitions.All(p => p.Leader >= 0))
            .Select(t => t.Topic).ToHashSet();
        return [.. Topics.Where(t => !there.Contains(t))];
    }

    // A new topic becomes visible a moment later.
    private async Task UntilThereAsync(IAdminClient admin)
    {
        for (var begun = time.GetTimestamp(); (await MissingAsync(admin)).Count > 0;)
        {
            if (time.GetElapsedTime(begun) > options.OperationTimeout)
            {
                throw new AlertSinkException(AlertSinkFault.Broken, "topics that were made have no leader yet");
            }

            await Task.Delay(LookAgain, time);
        }
    }

    private async Task CreateAsync(IAdminClient admin, List<string> missing)
    {
        foreach (var topic in missing)
        {
            var isPosition = topic == options.PositionTopic;
            var isCompacted = Compacted.Contains(topic);
            try
            {
                await admin.CreateTopicsAsync(
                [
                    new TopicSpecification
                    {
                        Name = topic,
                        NumPartitions = isPosition ? 1 : options.TopicPartitions,
                        ReplicationFactor = options.TopicReplicas,
                        Configs = isCompacted ? new Dictionary<string, string> { [CleanupPolicy] = Compact } : null,
                    },
                ]);
            }
            catch (CreateTopicsException e) when (e.Results.All(r => r.Error.Code == ErrorCode.TopicAlreadyExists))
            {
                // Another relay was faster.
            }
        }
    }

    // If old records were deleted by age, an outbox without alerts for a long time would lose its position, and an
    // alert that is open for long its state.
    private async Task RequireCompactedAsync(IAdminClient admin, IReadOnlyCollection<string> missing)
    {
        foreach (var topic in Compacted.Except(missing))
        {
            var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
            List<DescribeConfigsResult> described;
            try
            {
                described = await admin.DescribeConfigsAsync(
                    [resource], new DescribeConfigsOptions { RequestTimeout = LookWithin });
            }
            catch (KafkaException)
            {
                return; // We may not read the configuration, or nobody answers: publishing does not need it.
            }

            if (described.Single().Entries.TryGetValue(CleanupPolicy, out var policy) && policy.Value != Compact)
            {
                throw new AlertSinkException(
                    AlertSinkFault.Broken,
                    $"topic {topic} has {CleanupPolicy}={policy.Value}; the relay needs {Compact}");
            }
        }
    }
}
