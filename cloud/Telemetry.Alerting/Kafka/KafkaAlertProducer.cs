using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Telemetry.Alerting.Relay;
using Telemetry.Runtime;

namespace Telemetry.Alerting.Kafka;

/// <summary>
/// A transactional producer. Retriable errors are retried until the operation's time is over; an abortable error aborts
/// the transaction; every other error ends the producer, because the outcome of the transaction is then unknown: the
/// next producer finds it out.
/// </summary>
internal sealed class KafkaAlertProducer : IAlertProducer
{
    /// <summary>
    /// The longest time of one call into librdkafka, so that a stop is noticed; the next call continues the operation.
    /// </summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50);

    private readonly KafkaOptions _options;
    private readonly TimeProvider _time;
    private readonly KafkaThread _thread = new("kafka-producer");
    private IProducer<byte[], byte[]>? _producer;
    private Error? _undelivered;

    private KafkaAlertProducer(KafkaOptions options, TimeProvider time) => (_options, _time) = (options, time);

    /// <summary>initTransactions: fences older producers of the same id and aborts their open transactions.</summary>
    public static async Task<KafkaAlertProducer> BeginAsync(
        KafkaOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var producer = new KafkaAlertProducer(options, time);
        try
        {
            await producer._thread.DoAsync(() => producer.Begin(cancellationToken));
            return producer;
        }
        catch
        {
            await producer.DisposeAsync();
            throw;
        }
    }

    public Task PublishAsync(
        IReadOnlyList<AlertRecord> records,
        IReadOnlyDictionary<int, RelayPosition> positions,
        CancellationToken cancellationToken) => _thread.DoAsync(() => Publish(records, positions, cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await _thread.DoAsync(() =>
        {
            _producer?.Dispose();
            _producer = null;
            return true;
        });
        await _thread.DisposeAsync();
    }

    private bool Begin(CancellationToken cancellationToken)
    {
        try
        {
            _producer = new ProducerBuilder<byte[], byte[]>(KafkaConfiguration.Producer(_options))
                .SetLogHandler((_, _) => { }) // Errors that matter are returned by a call.
                .Build();
            Repeat(() => _producer.InitTransactions(Slice), cancellationToken);
            return true;
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From("begin as Kafka's producer", e);
        }
    }

    private bool Publish(
        IReadOnlyList<AlertRecord> records,
        IReadOnlyDictionary<int, RelayPosition> positions,
        CancellationToken cancellationToken)
    {
        var producer = _producer ?? throw new AlertSinkException(AlertSinkFault.Broken, "the producer has ended");
        try
        {
            _undelivered = null;
            var since = _time.GetTimestamp();
            producer.BeginTransaction();
            foreach (var record in records)
            {
                var headers = HeadersOf(record);
                Send(producer, _options.AlertTopic, record.Key, record.Row.Json.ToArray(), headers);
                foreach (var copy in record.Copies)
                {
                    Send(producer, copy.Topic, copy.Key, copy.Value?.ToArray(), headers);
                }
            }

            foreach (var (partition, position) in positions.OrderBy(p => p.Key))
            {
                var key = partition.ToString(CultureInfo.InvariantCulture);
                Send(producer, _options.PositionTopic, key, Encoding.UTF8.GetBytes(position.ToString()), null);
            }

            // All records and positions are at the brokers, in an open transaction, before the commit is requested.
            Deliver(producer, cancellationToken);
            CrashPoint.Reach("relay-in-transaction");
            Repeat(() => producer.CommitTransaction(Slice), cancellationToken);
            CrashPoint.Reach("relay-after-commit");
            RelayTracing.Published(records.Select(r => r.Row), _options.AlertTopic, since, _time);
            return true;
        }
        catch (KafkaTxnRequiresAbortException e)
        {
            Abort(producer, cancellationToken);
            throw new AlertSinkException(AlertSinkFault.Aborted, $"publish: {e.Error.Code} {e.Error.Reason}", e);
        }
        catch (Exception e) when (KafkaErrors.IsKafkas(e))
        {
            throw KafkaErrors.From("publish", e);
        }
    }

    private void Send(IProducer<byte[], byte[]> producer, string topic, string key, byte[]? value, Headers? headers) =>
        producer.Produce(
            topic,
            new Message<byte[], byte[]>
            {
                Key = Encoding.UTF8.GetBytes(key),
                Value = value!, // Null is a tombstone: the key is at its end.
                Headers = headers,
                Timestamp = new Timestamp(_time.GetUtcNow()),
            },
            report => _undelivered ??= report.Error.IsError ? report.Error : null);

    private void Deliver(IProducer<byte[], byte[]> producer, CancellationToken cancellationToken)
    {
        var begun = _time.GetTimestamp();
        while (producer.Flush(Slice) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_time.GetElapsedTime(begun) > _options.OperationTimeout)
            {
                throw new KafkaException(new Error(ErrorCode.Local_TimedOut, "the brokers did not take the records"));
            }
        }

        // A fatal error (fenced) is returned by the commit, with its own code; for any other error the commit reports
        // that it must abort.
        if (_undelivered is { IsFatal: true } fatal)
        {
            throw new KafkaException(fatal);
        }
    }

    private void Abort(IProducer<byte[], byte[]> producer, CancellationToken cancellationToken)
    {
        try
        {
            Repeat(() => producer.AbortTransaction(Slice), cancellationToken);
        }
        catch (KafkaException e)
        {
            throw KafkaErrors.From("abort", e);
        }
    }

    private void Repeat(Action operation, CancellationToken cancellationToken)
    {
        for (var begun = _time.GetTimestamp(); ;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                operation();
                return;
            }
            catch (KafkaRetriableException) when (_time.GetElapsedTime(begun) < _options.OperationTimeout)
            {
                cancellationToken.WaitHandle.WaitOne(RetryAfter);
            }
        }
    }

    private static Headers HeadersOf(AlertRecord record)
    {
        var headers = new Headers();
        foreach (var (name, value) in record.Headers)
        {
            headers.Add(name, Encoding.UTF8.GetBytes(value));
        }

        return headers;
    }
}
