using Telemetry.Storage;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// Transactions that have begun and whose client says nothing more, as it is frozen in the middle of a COPY: they hold
/// their partitions, so that no other commit on them happens and no lease of them is given, until the client goes on
/// or somebody ends the session. Used on the pump's thread.
/// </summary>
public sealed class HeldTransactions
{
    private readonly Dictionary<int, Held> _held = [];
    private int _sessions;

    /// <summary>How many were ended for their client's silence.</summary>
    public int Ended { get; private set; }

    /// <summary>How many are held now.</summary>
    public int Count => _held.Count;

    /// <summary>True while one holds the partition.</summary>
    public bool Hold(int partition) => Find(partition) is not null;

    /// <summary>The clients go on: what was not ended is committed, if it still can be.</summary>
    public void GoOn()
    {
        foreach (var held in _held.Values.ToArray())
        {
            _held.Remove(held.Holder.Session);
            held.Over.TrySetResult(true);
        }
    }

    /// <summary>
    /// One client goes on, or is dead, and its session with it; false when the session was ended before.
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

    /// <summary>Who holds a partition, as a look at the leases shows it.</summary>
    internal LeaseHolder? HolderOf(int partition) => Find(partition)?.Holder;

    /// <summary>Holds these partitions; true when the client went on, false when the session was ended.</summary>
    internal Task<bool> HoldAsync(IEnumerable<int> partitions, DateTime now)
    {
        var held = new Held([.. partitions], new LeaseHolder(++_sessions, now, WaitsForClient: true));
        _held.Add(held.Holder.Session, held);
        return held.Over.Task;
    }

    /// <summary>Ends a session; false when it is not that transaction any more.</summary>
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
