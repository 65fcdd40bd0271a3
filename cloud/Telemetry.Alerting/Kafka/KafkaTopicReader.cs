using Confluent.Kafka;
using Telemetry.Alerting.Relay;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// Reads the committed records of a topic from a time on, up to the topic's ends at the beginning of the read. The ends
/// are those for read_uncommitted: if another producer's open transaction hides records, the reader waits for its end,
/// because the hidden records may be ours.
/// </summary>
internal sealed class KafkaTopicReader : IAsyncDisposable
{
    private const int ChunkRecords = 1000;
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(200);

    private readonly KafkaOptions _options;
    private readonly string _topic;
    private readonly TimeProvider _time;
    private readonly KafkaThread _thread = new("kafka-reader");
    private readonly Dictionary<int, long> _ends = [];
    private IConsumer<byte[], byte[]>? _consumer;

    private KafkaTopicReader(KafkaOptions options, string topic, TimeProvider time) =>
        (_options, _topic, _time) = (options, topic, time);

    /// <summary>Begins at a time; null means at the first record.</summary>
    public static async Task<KafkaTopicReader> BeginAsync(
        KafkaOptions options, string topic, DateTimeOffset? from, TimeProvider time)
    {
        var reader = new KafkaTopicReader(options, topic, time);
        try
        {
            await reader._thread.DoAsync(() => reader.Begin(from));
            return reader;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns the next records; none when all ends are reached.</summary>
    public Task<List<ConsumeResult<byte[], byte[]>>> NextAsync(CancellationToken cancellationToken) =>
        _thread.DoAsync(() => Next(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await _thread.DoAsync(() =>
        {
            _consumer?.Dispose();
            return true;
        });
        await _thread.DisposeAsync();
    }

    private bool Begin(DateTimeOffset? from)
    {
        try
        {
            using var look = Build(IsolationLevel.ReadUncommitted);
            var starts = new List<TopicPartitionOffset>();
            foreach (var partition in PartitionsOf(look))
            {
                var marks = look.QueryWatermarkOffsets(partition, _options.OperationTimeout);
                var start = from is { } time ? OffsetOf(look, partition, time, marks.High) : marks.Low.Value;
                if (start < marks.High)
                {
                    _ends[partition.Partition] = marks.High;
                    starts.Add(new TopicPartitionOffset(partition, Math.Max(start, marks.Low)));
                }
            }

            _consumer = Build(IsolationLevel.ReadCommitted);
            _consumer.Assign(starts);
            return true;
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From($"read the topic {_topic}", e);
        }
    }

    private List<ConsumeResult<byte[], byte[]>> Next(CancellationToken cancellationToken)
    {
        var records = new List<ConsumeResult<byte[], byte[]>>();
        var progressed = _time.GetTimestamp();
        try
        {
            while (_ends.Count > 0 && records.Count < ChunkRecords)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_consumer!.Consume(Slice) is { } result)
                {
                    progressed = _time.GetTimestamp();
                    Take(result, records);
                }
                else if (_time.GetElapsedTime(progressed) > _options.OperationTimeout)
                {
                    throw new AlertSinkException(
                        AlertSinkFault.Broken,
                        $"read the topic {_topic}: its end was not reached at "
                        + string.Join(", ", _ends.Select(e => $"[{e.Key}] before {e.Value}"))
                        + "; a producer's open transaction may hide what follows");
                }
            }
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From($"read the topic {_topic}", e);
        }

        return records;
    }

    private void Take(ConsumeResult<byte[], byte[]> result, List<ConsumeResult<byte[], byte[]>> records)
    {
        var partition = result.Partition.Value;
        if (!_ends.TryGetValue(partition, out var end))
        {
            return;
        }

        if (!result.IsPartitionEOF && result.Offset < end)
        {
            records.Add(result);
        }

        // The last offsets may be transaction markers, which no consumer receives; then the end of the partition is the
        // sign.
        if (result.Offset >= end || (!result.IsPartitionEOF && result.Offset == end - 1))
        {
            _ends.Remove(partition);
        }
    }

    private IConsumer<byte[], byte[]> Build(IsolationLevel isolation) =>
        new ConsumerBuilder<byte[], byte[]>(KafkaConfiguration.Consumer(_options, isolation))
            .SetLogHandler((_, _) => { }) // Errors that matter are returned by a call.
            .Build();

    private List<TopicPartition> PartitionsOf(IConsumer<byte[], byte[]> consumer)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var topic = admin.GetMetadata(_topic, _options.OperationTimeout).Topics.Single();
        return topic.Error.IsError || topic.Partitions.Count == 0
            ? throw new KafkaException(topic.Error.IsError ? topic.Error : new Error(ErrorCode.UnknownTopicOrPart))
            : [.. topic.Partitions.Select(p => new TopicPartition(_topic, p.PartitionId))];
    }

    private long OffsetOf(IConsumer<byte[], byte[]> consumer, TopicPartition partition, DateTimeOffset from, long end)
    {
        var found = consumer.OffsetsForTimes(
            [new TopicPartitionTimestamp(partition, new Timestamp(from))], _options.OperationTimeout).Single().Offset;
        return found.IsSpecial ? end : found.Value;
    }
}
