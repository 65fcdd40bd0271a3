using Telemetry.Storage;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// Transactions that have begun and whose client sends nothing more, because it is frozen in the middle of a COPY. They
/// hold their partitions: no other commit on them happens and no lease of them is given, until the client continues or
/// somebody ends the session. Used on the pump's thread.
/// </summary>
public sealed class HeldTransactions
{
    private readonly Dictionary<int, Held> _held = [];
    private int _sessions;

    /// <summary>How many were ended because their client sent nothing.</summary>
    public int Ended { get; private set; }

    /// <summary>How many are held now.</summary>
    public int Count => _held.Count;

    /// <summary>True while one holds the partition.</summary>
    public bool Hold(int partition) => Find(partition) is not null;

    /// <summary>
    /// The clients continue: transactions that were not ended are committed, if that is still possible.
    /// </summary>
    public void GoOn()
    {
        foreach (var held in _held.Values.ToArray())
        {
            _held.Remove(held.Holder.Session);
            held.Over.TrySetResult(true);
        }
    }

    /// <summary>
    /// One client continues, or has died and its session with it; false when the session was ended before.
    /// </summary>
    public bool Release(LeaseHolder holder, bool goesOn)
    {
        if (!_held.Remove(holder.Session, out var held))
        {
            return false;
        }

        held.Over.TrySetResult(goesOn);
        return true;
    }

    /// <summary>The holder of a partition, as a query of the leases shows it.</summary>
    internal LeaseHolder? HolderOf(int partition) => Find(partition)?.Holder;

    /// <summary>Holds these partitions; true when the client continued, false when the session was ended.</summary>
    internal Task<bool> HoldAsync(IEnumerable<int> partitions, DateTime now)
    {
        var held = new Held([.. partitions], new LeaseHolder(++_sessions, now, WaitsForClient: true));
        _held.Add(held.Holder.Session, held);
        return held.Over.Task;
    }

    /// <summary>Ends a session; false when it no longer runs that transaction.</summary>
    internal bool End(int partition, LeaseHolder holder)
    {
        if (HolderOf(partition) != holder || !_held.Remove(holder.Session, out var held))
        {
            return false;
        }

        Ended++;
        held.Over.TrySetResult(false);
        return true;
    }

    private Held? Find(int partition) => _held.Values.FirstOrDefault(h => h.Partitions.Contains(partition));

    private sealed record Held(HashSet<int> Partitions, LeaseHolder Holder)
    {
        public TaskCompletionSource<bool> Over { get; } = new();
    }
}
