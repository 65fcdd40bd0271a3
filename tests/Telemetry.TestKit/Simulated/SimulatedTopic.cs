namespace Telemetry.TestKit.Simulated;

/// <summary>What became of the transaction of an entry.</summary>
public enum TransactionState
{
    Open,
    Committed,
    Aborted,
}

/// <summary>A transaction of the simulated Kafka.</summary>
public sealed class SimulatedTransaction
{
    public TransactionState State { get; set; } = TransactionState.Open;
}

/// <summary>
/// One partition of a topic of the simulated Kafka. A read_committed reader sees nothing behind the first entry whose
/// transaction is open, and of what stands before it what is committed; a read_uncommitted one sees all.
/// </summary>
public sealed class SimulatedTopic<T>
{
    private readonly List<(T Value, DateTimeOffset Time, SimulatedTransaction Transaction)> _entries = [];

    public long End => _entries.Count;

    /// <summary>Up to here a read_committed reader sees.</summary>
    public long LastStable
    {
        get
        {
            var open = _entries.FindIndex(e => e.Transaction.State == TransactionState.Open);
            return open < 0 ? _entries.Count : open;
        }
    }

    public IEnumerable<T> Uncommitted => _entries.Select(e => e.Value);

    public IEnumerable<T> Committed => _entries.Take((int)LastStable)
        .Where(e => e.Transaction.State == TransactionState.Committed).Select(e => e.Value);

    public void Append(T value, DateTimeOffset time, SimulatedTransaction transaction) =>
        _entries.Add((value, time, transaction));

    /// <summary>The first entry that is not older; the end when there is none.</summary>
    public long OffsetOf(DateTimeOffset time) =>
        _entries.FindIndex(e => e.Time >= time) is var found && found < 0 ? End : found;

    /// <summary>Committed entries of a range that lies before <see cref="LastStable"/>.</summary>
    public IEnumerable<T> CommittedBetween(long from, long to) =>
        _entries.Skip((int)from).Take((int)Math.Max(to - from, 0))
        .Where(e => e.Transaction.State == TransactionState.Committed).Select(e => e.Value);
}
