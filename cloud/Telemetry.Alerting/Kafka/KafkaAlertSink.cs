using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Confluent.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Kafka;

/// <summary>The alert sink on Kafka.</summary>
public sealed class KafkaAlertSink(KafkaOptions options, TimeProvider time) : IAlertSink
{
    public async Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken)
    {
        await new KafkaTopics(options, time).EnsureAsync();
        return await KafkaAlertProducer.BeginAsync(options, time, cancellationToken);
    }

    public async Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken)
    {
        var positions = new Dictionary<int, RelayPosition>();
        await using var reader = await KafkaTopicReader.BeginAsync(options, options.PositionTopic, from: null, time);
        while (await reader.NextAsync(cancellationToken) is { Count: > 0 } records)
        {
            foreach (var record in records)
            {
                // The topic is compacted by key: the last record of a key counts.
                var key = Encoding.UTF8.GetString(record.Message.Key ?? []);
                if (!int.TryParse(key, CultureInfo.InvariantCulture, out var partition)
                    || !RelayPosition.TryRead(record.Message.Value, out var position))
                {
                    throw new AlertSinkException(
                        AlertSinkFault.Broken,
                        $"{record.TopicPartitionOffset} is not the position of a relay; give the relay a topic of its "
                        + $"own (kafka.positionTopic is {options.PositionTopic})");
                }

                positions[partition] = position;
            }
        }

        return positions;
    }

    public async IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reader = await KafkaTopicReader.BeginAsync(options, options.AlertTopic, from, time);
        while (await reader.NextAsync(cancellationToken) is { Count: > 0 } records)
        {
            yield return [.. records.Select(Read).OfType<PublishedAlert>()];
        }
    }

    // Null for a record that no relay wrote: others may use the topic too.
    private static PublishedAlert? Read(ConsumeResult<byte[], byte[]> record) => AlertRecord.TryReadBack(
        name => record.Message.Headers.TryGetLastBytes(name, out var value) ? value : null,
        record.Message.Value ?? [],
        out var alert)
            ? alert
            : null;
}
