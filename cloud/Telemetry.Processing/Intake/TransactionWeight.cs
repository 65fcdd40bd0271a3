namespace Telemetry.Processing.Intake;

/// <summary>
/// What the transaction being built weighs, in readings: what was taken for it, and what to apply it cost beyond that.
/// Duplicates weigh as well: a log that is read again makes transactions of the same size, so that leases are renewed
/// meanwhile.
/// </summary>
internal sealed class TransactionWeight
{
    /// <summary>How many readings it weighs as much as.</summary>
    public int Readings { get; private set; }

    /// <summary>A new transaction begins.</summary>
    public void Begin() => Readings = 0;

    /// <summary>Something costs about as much as so many readings.</summary>
    public void Add(int readings) => Readings = (int)Math.Min(int.MaxValue / 2, (long)Readings + readings);
}
