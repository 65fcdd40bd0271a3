using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// The destination of alerts: a topic of records, and a compacted topic of positions that is written in the same
/// transactions. There are two implementations under one contract test: Kafka, and the simulated one. Errors are <see
/// cref="AlertSinkException"/>.
/// </summary>
public interface IAlertSink
{
    /// <summary>
    /// Begins as the only producer (initTransactions): every older producer is fenced from then on, and its open
    /// transaction is aborted. Therefore read the positions afterwards, not before: until then an older producer may
    /// still commit.
    /// </summary>
    Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken);

    /// <summary>The committed positions by partition, up to the current end of the position topic.</summary>
    Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Reads the committed records of all topic partitions back, in chunks, from a time on up to the current ends.
    /// Records that are not ours are left out.
    /// </summary>
    IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, CancellationToken cancellationToken);
}

/// <summary>The right to publish, until a newer producer begins. One call at a time.</summary>
public interface IAlertProducer : IAsyncDisposable
{
    /// <summary>
    /// Publishes records and positions in one transaction: a read_committed consumer sees all of it or nothing.
    /// Completes after the commit.
    /// </summary>
    Task PublishAsync(
        IReadOnlyList<AlertRecord> records,
        IReadOnlyDictionary<int, RelayPosition> positions,
        CancellationToken cancellationToken);
}

/// <summary>The meaning of a sink error for the publisher.</summary>
public enum AlertSinkFault
{
    /// <summary>The outcome is unknown: begin again, and read the positions.</summary>
    Broken,

    /// <summary>The transaction was aborted, and nobody will see any of it; the same producer may try again.</summary>
    Aborted,

    /// <summary>A newer producer has begun: stand by.</summary>
    Fenced,
}

/// <summary>An error of the sink.</summary>
public sealed class AlertSinkException(AlertSinkFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The meaning for the producer.</summary>
    public AlertSinkFault Fault { get; } = fault;
}
