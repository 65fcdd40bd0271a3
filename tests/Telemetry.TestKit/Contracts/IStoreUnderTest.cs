using Telemetry.Storage;
using Telemetry.Storage.Alerts;

namespace Telemetry.TestKit.Contracts;

/// <summary>A fresh, empty store, and direct access to its database for the contract.</summary>
public interface IStoreUnderTest
{
    IStore Store { get; }

    /// <summary>A second process' view of the same database.</summary>
    Task<IStore> OpenAnother();

    /// <summary>Makes every held lease older by the given time.</summary>
    Task PassTime(TimeSpan time);

    /// <summary>Waits a moment for effects that happen by themselves.</summary>
    Task Pause();

    /// <summary>
    /// Begins a ledger transaction of a partition in the state in which a frozen client leaves it: it holds the
    /// partition and waits for its client until it is disposed.
    /// </summary>
    Task<IAsyncDisposable> BeginHolding(PartitionRow row);

    /// <summary>Makes the database refuse every reading of that time, like a constraint of an operator.</summary>
    Task RefuseTime(long micros);

    /// <summary>Makes the database refuse every series of that device.</summary>
    Task RefuseDevice(string device);

    /// <summary>True when a refused commit names the reading that was refused.</summary>
    bool NamesReadings { get; }

    Task<IReadOnlyList<StoredReading>> ReadAllReadings();

    Task<IReadOnlyList<DeadLetterRow>> ReadAllDeadLetters();

    Task<IReadOnlyList<DropLedgerRow>> ReadAllDrops();

    Task<IReadOnlyList<StoredPart>> ReadAllParts();

    Task<IReadOnlyList<StoredRevision>> ReadAllRevisions();

    /// <summary>By partition and number.</summary>
    Task<IReadOnlyList<AlertOutboxRow>> ReadAlertOutbox();
}
