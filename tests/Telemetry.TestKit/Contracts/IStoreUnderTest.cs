using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Contracts;

/// <summary>A fresh, empty store, and the looks behind it that the contract needs.</summary>
public interface IStoreUnderTest
{
    IStore Store { get; }

    /// <summary>A second process' view of the same database.</summary>
    Task<IStore> OpenAnother();

    /// <summary>Makes every lease that is held that much older.</summary>
    Task PassTime(TimeSpan time);

    /// <summary>Waits for a moment, for what comes by itself.</summary>
    Task Pause();

    /// <summary>
    /// Begins a ledger transaction of a partition, as a frozen client leaves it: it holds the partition and waits for
    /// its client until it is disposed.
    /// </summary>
    Task<IAsyncDisposable> BeginHolding(PartitionRow row);

    /// <summary>Makes the database refuse every reading of that time, as a constraint of an operator's does.</summary>
    Task RefuseTime(long micros);

    /// <summary>Makes the database refuse every series of that device.</summary>
    Task RefuseDevice(string device);

    /// <summary>True when a refused commit says which reading it was.</summary>
    bool NamesReadings { get; }

    Task<IReadOnlyList<StoredReading>> ReadAllReadings();

    Task<IReadOnlyList<DeadLetterRow>> ReadAllDeadLetters();

    Task<IReadOnlyList<DropLedgerRow>> ReadAllDrops();

    /// <summary>By partition and number.</summary>
    Task<IReadOnlyList<AlertOutboxRow>> ReadAlertOutbox();
}
