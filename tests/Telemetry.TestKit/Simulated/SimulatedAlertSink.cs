using System.Runtime.CompilerServices;
using System.Text;
using Telemetry.Alerting.Relay;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// Kafka in memory as far as a relay sees it: an alert topic of two partitions and a position topic; one transactional
/// id, whose youngest producer fences the older ones. A transaction goes up in steps, so a relay can die in the middle
/// of one, which then stays open until the next producer begins or its time is over.
/// </summary>
public sealed class SimulatedAlertSink(Pump pump, Random random) : IAlertSink
{
    private const int TopicPartitions = 2;
    private const int ChunkRecords = 5;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(30);

    private readonly SimulatedTopic<AlertRecord>[] _alerts =
        [.. Enumerable.Range(0, TopicPartitions).Select(_ => new SimulatedTopic<AlertRecord>())];

    private readonly SimulatedTopic<KeyValuePair<int, RelayPosition>> _positions = new();
    private int _epoch;
    private SimulatedTransaction? _open;

    /// <summary>The way to it.</summary>
    public SimulatedCalls Calls { get; } = new(pump, random) { KeepsOrder = true };

    /// <summary>Asked at each commit: true when it must be aborted.</summary>
    public Func<bool> RefusesCommit { get; set; } = () => false;

    /// <summary>After so long the broker aborts what is open, and fences its producer.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What a read_committed consumer sees.</summary>
    public IEnumerable<AlertRecord> Committed => _alerts.SelectMany(t => t.Committed);

    /// <summary>What a read_uncommitted one sees.</summary>
    public IEnumerable<AlertRecord> Uncommitted => _alerts.SelectMany(t => t.Uncommitted);

    /// <inheritdoc/>
    public async Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken) =>
        new Producer(this, await CallAsync(
            "initTransactions",
            () =>
            {
                Abort();
                return ++_epoch;
            },
            cancellationToken));

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken)
    {
        var end = await CallAsync("end of positions", () => _positions.End, cancellationToken);
        await UntilStableAsync(() => _positions.LastStable >= end, cancellationToken);
        return await CallAsync(
            "read positions",
            () => _positions.CommittedBetween(0, end).GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var topic in _alerts)
        {
            var (start, end) = await CallAsync(
                "ends of alerts", () => (topic.OffsetOf(from), topic.End), cancellationToken);
            await UntilStableAsync(() => topic.LastStable >= end, cancellationToken);
            for (var at = start; at < end; at += ChunkRecords)
            {
                var to = Math.Min(at + ChunkRecords, end);
                yield return await CallAsync<IReadOnlyList<PublishedAlert>>(
                    "read alerts", () => [.. topic.CommittedBetween(at, to).Select(Read)], cancellationToken);
            }
        }
    }

    private static PublishedAlert Read(AlertRecord record)
    {
        var headers = record.Headers.ToDictionary(h => h.Key, h => Encoding.UTF8.GetBytes(h.Value));
        return AlertRecord.TryReadBack(name => headers.GetValueOrDefault(name), record.Row.Json, out var alert)
            ? alert
            : throw new InvalidOperationException("a record of a relay that no relay can read");
    }

    private async Task PublishAsync(
        int epoch, IReadOnlyList<AlertRecord> records, IReadOnlyDictionary<int, RelayPosition> positions,
        CancellationToken cancellationToken)
    {
        var transaction = await CallAsync("begin a transaction", () => Begin(epoch), cancellationToken);
        foreach (var chunk in records.Chunk(ChunkRecords))
        {
            await CallAsync("produce", () => Produce(epoch, transaction, chunk), cancellationToken);
        }

        await CallAsync(
            "produce positions",
            () =>
            {
                Require(epoch, transaction);
                foreach (var position in positions.OrderBy(p => p.Key))
                {
                    _positions.Append(position, Calls.Time.GetUtcNow(), transaction);
                }

                return true;
            },
            cancellationToken);
        var committed = await CallAsync("commit", () => Commit(epoch, transaction), cancellationToken);
        if (!committed)
        {
            throw new AlertSinkException(AlertSinkFault.Aborted, "the transaction was aborted");
        }
    }

    private SimulatedTransaction Begin(int epoch)
    {
        Require(epoch, _open);
        Abort();
        var transaction = _open = new SimulatedTransaction();
        Calls.SendAfter(TransactionTimeout, () =>
        {
            if (transaction.State == TransactionState.Open)
            {
                _epoch++;
                Abort();
            }
        });
        return transaction;
    }

    private bool Produce(int epoch, SimulatedTransaction transaction, AlertRecord[] records)
    {
        Require(epoch, transaction);
        foreach (var record in records)
        {
            _alerts[record.Key.Sum(letter => letter) % TopicPartitions].Append(
                record, Calls.Time.GetUtcNow(), transaction);
        }

        return true;
    }

    private bool Commit(int epoch, SimulatedTransaction transaction)
    {
        Require(epoch, transaction);
        var commits = !RefusesCommit();
        transaction.State = commits ? TransactionState.Committed : TransactionState.Aborted;
        _open = null;
        return commits;
    }

    private void Abort()
    {
        if (_open is not null)
        {
            _open.State = TransactionState.Aborted;
            _open = null;
        }
    }

    private void Require(int epoch, SimulatedTransaction? transaction)
    {
        if (epoch != _epoch)
        {
            throw new AlertSinkException(AlertSinkFault.Fenced, "a younger producer has begun");
        }

        if (transaction is not null && transaction != _open)
        {
            throw new AlertSinkException(AlertSinkFault.Broken, "that transaction is over");
        }
    }

    private async Task UntilStableAsync(Func<bool> stable, CancellationToken cancellationToken)
    {
        for (var waited = TimeSpan.Zero; !await CallAsync("last stable", stable, cancellationToken); waited += Poll)
        {
            if (waited > ReadPatience)
            {
                throw new AlertSinkException(AlertSinkFault.Broken, "an open transaction hides the end");
            }

            await Task.Delay(Poll, pump.Clock, cancellationToken);
        }
    }

    private Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) => Calls.CallAsync(
        what, effect, before => new AlertSinkException(AlertSinkFault.Broken, $"{what}: the connection failed"),
        cancellationToken);

    private sealed class Producer(SimulatedAlertSink sink, int epoch) : IAlertProducer
    {
        public Task PublishAsync(
            IReadOnlyList<AlertRecord> records, IReadOnlyDictionary<int, RelayPosition> positions,
            CancellationToken cancellationToken)
        {
            // Sent as it is now: its caller may give up waiting.
            return sink.PublishAsync(
                epoch, [.. records], new Dictionary<int, RelayPosition>(positions), cancellationToken);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
