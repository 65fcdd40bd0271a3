using Telemetry.Storage.Fleet;
using Telemetry.Streams.Fleet;

namespace Telemetry.Dashboard.Live;

/// <summary>How much of each partition's changes is known, by its count of commits.</summary>
internal sealed class PartitionCounts
{
    /// <summary>So many old messages one after the other mean that the database was put back.</summary>
    private const int OldMax = 3;

    private readonly SortedDictionary<int, Known> _known = [];

    /// <summary>The partitions and when each was heard of, as a timestamp.</summary>
    public IEnumerable<(int Partition, long HeardAt)> Heard => _known.Select(k => (k.Key, k.Value.HeardAt));

    /// <summary>The database was read. Returns false when it is older than what is known already.</summary>
    public bool Loaded(in FleetPartition partition, bool isWhole, long timestamp)
    {
        if (!_known.TryGetValue(partition.Partition, out var known))
        {
            _known.Add(partition.Partition, known = new Known { HeardAt = timestamp });
        }

        if (!isWhole || (partition.Commits < known.Commits && known.Old < OldMax))
        {
            return isWhole && partition.Commits == known.Commits;
        }

        (known.Commits, known.Old) = (partition.Commits, 0);
        return true;
    }

    /// <summary>A message came. Says whether its content counts, and whether the partition must be read.</summary>
    public (bool Counts, bool MustRead) Take(PartitionChanges changes, long timestamp)
    {
        if (!_known.TryGetValue(changes.Partition, out var known))
        {
            _known.Add(changes.Partition, known = new Known { Commits = -1 });
        }

        known.HeardAt = timestamp;
        if (changes.To < known.Commits)
        {
            return (false, ++known.Old >= OldMax);
        }

        known.Old = 0;
        if (changes.From > known.Commits)
        {
            return (true, true);
        }

        known.Commits = changes.To;
        return (true, false);
    }

    private sealed class Known
    {
        public long Commits { get; set; }

        public int Old { get; set; }

        public long HeardAt { get; set; }
    }
}
