using System.Runtime.InteropServices;

namespace Telemetry.Simulation.Worlds;

/// <summary>One reading that a generator made: known by its hash, since the values are random.</summary>
internal struct JournalEntry
{
    public TimeSpan AttemptedAt;
    public TimeSpan? AcknowledgedAt;
}

/// <summary>What a generator attempted and what was acknowledged to it; it outlives every process.</summary>
internal sealed class Journal
{
    private readonly Dictionary<ulong, JournalEntry> _entries = [];

    public int Attempted => _entries.Count;

    public int Acknowledged { get; private set; }

    public IReadOnlyDictionary<ulong, JournalEntry> Entries => _entries;

    public void Attempt(ulong hash, TimeSpan now) => _entries.Add(hash, new JournalEntry { AttemptedAt = now });

    public void Acknowledge(IEnumerable<ulong> hashes, TimeSpan now)
    {
        foreach (var hash in hashes)
        {
            CollectionsMarshal.GetValueRefOrNullRef(_entries, hash).AcknowledgedAt = now;
            Acknowledged++;
        }
    }
}
