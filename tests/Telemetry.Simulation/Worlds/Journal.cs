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
    private readonly HashSet<long> _times = [];

    public int Attempted => _entries.Count;

    public int Acknowledged { get; private set; }

    public IReadOnlyDictionary<ulong, JournalEntry> Entries => _entries;

    /// <summary>Hashes of readings that the database refuses.</summary>
    public HashSet<ulong> Refused { get; } = [];

    /// <summary>
    /// Hashes of readings that were sent by keys: an older copy of an outbox does not remember their requests.
    /// </summary>
    public HashSet<ulong> Keyed { get; } = [];

    /// <summary>The same time, or the next one at which no reading of the gateway is yet; even stays even.</summary>
    public long FreeTime(long micros)
    {
        while (!_times.Add(micros))
        {
            micros += 2;
        }

        return micros;
    }

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
