namespace Telemetry.Processing.Intake;

/// <summary>
/// The weight of the current transaction, in readings: the readings taken for it, and the cost of applying them beyond
/// that. Duplicates count too, so that a log that is read again gives transactions of the same size, and leases are
/// renewed between them.
/// </summary>
internal sealed class TransactionWeight
{
    /// <summary>The weight, in readings.</summary>
    public int Readings { get; private set; }

    /// <summary>A new transaction begins.</summary>
    public void Begin() => Readings = 0;

    /// <summary>Adds a cost that is about that of the given number of readings.</summary>
    public void Add(int readings) => Readings = (int)Math.Min(int.MaxValue / 2, (long)Readings + readings);
}
