using System.IO.Hashing;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// A hash table from (number, bytes) to a number, open addressing, the bytes side by side in one array: looking up
/// allocates nothing, adding only when it grows. It is full at <paramref name="entriesMax"/> or
/// <paramref name="bytesMax"/>.
/// </summary>
internal sealed class ByteTable(int entriesMax, int bytesMax)
{
    private const int SlotsMin = 64;

    private int[] _slots = new int[SlotsMin];
    private Entry[] _entries = new Entry[SlotsMin / 2];
    private byte[] _bytes = new byte[4096];
    private int _bytesUsed;

    public int Count { get; private set; }

    /// <summary>
    /// The number that was added under these; -1 when none was. <paramref name="hash"/> is for adding it.
    /// </summary>
    public int Find(int number, ReadOnlySpan<byte> bytes, out ulong hash)
    {
        hash = XxHash3.HashToUInt64(bytes, number);
        var mask = _slots.Length - 1;
        for (var slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            var index = _slots[slot] - 1;
            if (index < 0)
            {
                return -1;
            }

            ref readonly var entry = ref _entries[index];
            if (entry.Hash == hash && entry.Number == number
                && bytes.SequenceEqual(_bytes.AsSpan(entry.Offset, entry.Length)))
            {
                return entry.Value;
            }
        }
    }

    /// <summary>Adds what was not found; false when it is full.</summary>
    public bool TryAdd(ulong hash, int number, ReadOnlySpan<byte> bytes, int value)
    {
        if (Count == entriesMax || bytes.Length > bytesMax - _bytesUsed)
        {
            return false;
        }

        if (Count == _entries.Length)
        {
            Grow();
        }

        if (_bytes.Length - _bytesUsed < bytes.Length)
        {
            Array.Resize(
                ref _bytes, (int)Math.Min(Math.Max((long)_bytes.Length * 2, _bytesUsed + bytes.Length), bytesMax));
        }

        bytes.CopyTo(_bytes.AsSpan(_bytesUsed));
        _entries[Count++] = new Entry(hash, _bytesUsed, bytes.Length, number, value);
        _bytesUsed += bytes.Length;
        Place(hash, Count);
        return true;
    }

    public void Clear()
    {
        Array.Clear(_slots);
        Count = _bytesUsed = 0;
    }

    private void Grow()
    {
        Array.Resize(ref _entries, Count * 2);
        _slots = new int[_slots.Length * 2];
        for (var i = 0; i < Count; i++)
        {
            Place(_entries[i].Hash, i + 1);
        }
    }

    private void Place(ulong hash, int value)
    {
        var mask = _slots.Length - 1;
        var slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & mask;
        }

        _slots[slot] = value;
    }

    private readonly record struct Entry(ulong Hash, int Offset, int Length, int Number, int Value);
}
