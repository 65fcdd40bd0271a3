using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// Where alerts go: a topic of records, and a compacted topic of positions that is written in the same transactions.
/// Two implementations under one contract test: Kafka, and the simulated one. Errors are
/// <see cref="AlertSinkException"/>.
/// </summary>
public interface IAlertSink
{
    /// <summary>
    /// Begins as the only producer (initTransactions): every older one is fenced from here on, and its open transaction
    /// is aborted. So read the positions after it, not before: until then an older one may still commit.
    /// </summary>
    Task<IAlertProducer> BeginAsync(CancellationToken cancellationToken);

    /// <summary>The committed positions by partition, up to the position topic's end as it is now.</summary>
    Task<IReadOnlyDictionary<int, RelayPosition>> ReadPositionsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Reads the committed records of all topic partitions back, chunk by chunk, from a time on up to the ends as they
    /// are now. Records that are not ours are left out.
    /// </summary>
    IAsyncEnumerable<IReadOnlyList<PublishedAlert>> ReadBackAsync(
        DateTimeOffset from, CancellationToken cancellationToken);
}

/// <summary>The right to publish, until a younger producer begins. One call at a time.</summary>
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

/// <summary>What an error of the sink means for whoever publishes.</summary>
public enum AlertSinkFault
{
    /// <summary>Nobody knows what became of it: begin anew, and read the positions.</summary>
    Broken,

    /// <summary>The transaction was aborted, nobody will see any of it; the same producer may try again.</summary>
    Aborted,

    /// <summary>A younger producer has begun: stand by.</summary>
    Fenced,
}

/// <summary>An error of the sink.</summary>
public sealed class AlertSinkException(AlertSinkFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>What it means for the producer.</summary>
    public AlertSinkFault Fault { get; } = fault;
}
