using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// What senders say, by their journals, of every reading: (series, time, hash), how often it was attempted,
/// acknowledged, and (as the database is read) stored. An open-addressing table of columns, so that a million
/// readings cost some 50 MB and a row of the database one look-up and no memory. One thread at a time.
/// </summary>
public sealed class SentReadings
{
    private SeriesIdentity[] _series = new SeriesIdentity[1 << 16];
    private long[] _times = new long[1 << 16];
    private ulong[] _hashes = new ulong[1 << 16];
    private ReadingCounts[] _counts = new ReadingCounts[1 << 16];
    private int _used;
    private readonly Dictionary<SeriesIdentity, GatewayId> _gatewayOf = [];
    private readonly HashSet<GatewayId> _gateways = [];

    /// <summary>The gateways that have a journal.</summary>
    public IReadOnlyCollection<GatewayId> Gateways => _gateways;

    /// <summary>Reads one sender's journal. A refused offer is as if it had never been made.</summary>
    public void Load(string journal)
    {
        using var reader = new JournalReader(journal);
        _gateways.Add(reader.Gateway);
        var open = new Dictionary<uint, JournalEntry[]>();
        while (reader.TryRead(out var block))
        {
            if (block.Kind == JournalKind.Attempted)
            {
                open[block.Offer] = block.Entries.ToArray();
            }
            else if (open.Remove(block.Offer, out var entries) && block.Kind == JournalKind.Acknowledged)
            {
                Add(reader.Gateway, entries, acknowledged: true);
            }
        }

        foreach (var entries in open.Values)
        {
            Add(reader.Gateway, entries, acknowledged: false);
        }
    }

    /// <summary>The gateway that sent readings of a series; false when no journal names it.</summary>
    public bool TryGateway(SeriesIdentity series, out GatewayId gateway) => _gatewayOf.TryGetValue(series, out gateway);

    /// <summary>Notes a row of the database; false when no journal has such a reading.</summary>
    public bool Store(SeriesIdentity series, long time, ulong hash)
    {
        var slot = Slot(series, time, hash);
        if (_counts[slot].Attempted == 0)
        {
            return false;
        }

        _counts[slot].Stored++;
        return true;
    }

    /// <summary>Every reading that was attempted, in no order.</summary>
    internal IEnumerable<(GatewayId Gateway, SeriesIdentity Series, long Time, ReadingCounts Counts)> All()
    {
        for (var slot = 0; slot < _counts.Length; slot++)
        {
            if (_counts[slot].Attempted > 0)
            {
                yield return (_gatewayOf[_series[slot]], _series[slot], _times[slot], _counts[slot]);
            }
        }
    }

    internal void Add(GatewayId gateway, ReadOnlySpan<JournalEntry> entries, bool acknowledged)
    {
        _gateways.Add(gateway);
        foreach (var entry in entries)
        {
            if (_used * 3 >= _counts.Length * 2)
            {
                Grow();
            }

            _gatewayOf.TryAdd(entry.Series, gateway);
            var slot = Slot(entry.Series, entry.Time, entry.Hash);
            if (_counts[slot].Attempted++ == 0)
            {
                (_series[slot], _times[slot], _hashes[slot]) = (entry.Series, entry.Time, entry.Hash);
                _used++;
            }

            _counts[slot].Acknowledged += acknowledged ? 1 : 0;
        }
    }

    // The hash is well mixed already: it is of series and time too.
    private int Slot(SeriesIdentity series, long time, ulong hash)
    {
        var slot = (int)(hash & (ulong)(_counts.Length - 1));
        while (_counts[slot].Attempted > 0
            && (_hashes[slot] != hash || _times[slot] != time || _series[slot] != series))
        {
            slot = (slot + 1) & (_counts.Length - 1);
        }

        return slot;
    }

    private void Grow()
    {
        var (series, times, hashes, counts) = (_series, _times, _hashes, _counts);
        var size = counts.Length * 2;
        (_series, _times, _hashes, _counts) =
            (new SeriesIdentity[size], new long[size], new ulong[size], new ReadingCounts[size]);
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i].Attempted > 0)
            {
                var slot = Slot(series[i], times[i], hashes[i]);
                (_series[slot], _times[slot], _hashes[slot], _counts[slot]) =
                    (series[i], times[i], hashes[i], counts[i]);
            }
        }
    }
}

/// <summary>How often one reading was attempted, acknowledged, and found in the database.</summary>
internal record struct ReadingCounts(int Attempted, int Acknowledged, int Stored);
