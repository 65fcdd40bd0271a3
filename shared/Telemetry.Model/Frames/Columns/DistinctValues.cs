using System.Numerics;
using System.Runtime.InteropServices;
using Telemetry.Model.Schemas;

namespace Telemetry.Model.Frames.Columns;

/// <summary>Finds the distinct values of a column, and the place of each of its values among them.</summary>
internal static class DistinctValues
{
    private const int SampleLength = 16;

    /// <summary>Up to this many entries are sorted by counting, for each, how many others are less.</summary>
    private const int CountedMax = 96;

    /// <summary>
    /// True when at least half of a sample of 16 values repeat one that came earlier in it. There must be 16 values or
    /// more.
    /// </summary>
    public static bool AreFew(ReadOnlySpan<ulong> values)
    {
        Span<ulong> sample = stackalloc ulong[SampleLength];
        var again = 0;
        for (var i = 0; i < sample.Length && again + (sample.Length - i) >= SampleLength / 2; i++)
        {
            sample[i] = values[(int)((uint)values.Length * (uint)i / SampleLength)];
            again += sample[..i].Contains(sample[i]) ? 1 : 0;
        }

        return again >= SampleLength / 2;
    }

    /// <summary>
    /// The distinct values in order of first occurrence, and each value's place among them; -1 when there are too many.
    /// </summary>
    public static int Find(ReadOnlySpan<ulong> values, Span<ulong> entries, Span<long> places, Span<int> slots)
    {
        // A hash table. The highest bits of the product depend on all bits of the value. There is no branch on whether
        // a value is new, because the processor could not predict it; only a slot taken by another value has a branch.
        places = places[..values.Length];
        var mask = slots.Length - 1;
        var shift = 64 - BitOperations.Log2((uint)slots.Length);
        var count = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            var slot = (int)((value * 0x9E37_79B9_7F4A_7C15) >> shift);
            var place = slots[slot] - 1;

            // A free slot gives -1; the place of a new value is count.
            place ^= (place ^ count) & (place >> 31);
            if (count >= entries.Length && place == count)
            {
                return -1;
            }

            if ((entries[place] != value) & (place < count))
            {
                do
                {
                    slot = (slot + 1) & mask;
                    place = slots[slot] - 1;
                }
                while (place >= 0 && entries[place] != value);
                if (place < 0 && (place = count) == entries.Length)
                {
                    return -1;
                }
            }

            entries[place] = value;
            slots[slot] = place + 1;
            places[i] = place;
            count += place == count ? 1 : 0;
        }

        return count;
    }

    /// <summary>Sorts the entries as numbers, and changes the places to match.</summary>
    public static void Sort(Span<ulong> entries, Span<long> places, MetricType type, ColumnScratch scratch)
    {
        // Filled up to a whole vector with the greatest number, which is less than no key.
        var keys = scratch.Keys.Of((entries.Length + Vector<long>.Count - 1) & -Vector<long>.Count);
        keys[^Vector<long>.Count..].Fill(long.MaxValue);
        for (var i = 0; i < entries.Length; i++)
        {
            // The bits of negative doubles, taken as integers, have the reverse order.
            var bits = (long)entries[i];
            keys[i] = type == MetricType.Float ? bits ^ ((bits >> 63) & long.MaxValue) : bits;
        }

        var ranks = scratch.EntryRanks.Of(entries.Length);
        if (entries.Length <= CountedMax)
        {
            Count(keys, ranks);
        }
        else
        {
            SortKeys(keys[..entries.Length], ranks, scratch);
        }

        var came = scratch.EntriesAsTheyCame.Of(entries.Length);
        entries.CopyTo(came);
        for (var i = 0; i < came.Length; i++)
        {
            entries[ranks[i]] = came[i];
        }

        foreach (ref var place in places)
        {
            place = ranks[(int)place];
        }
    }

    /// <summary>The rank of each key: how many keys are less. They are distinct.</summary>
    private static void Count(ReadOnlySpan<long> keys, Span<int> ranks)
    {
        // Two ranks in each pass, so that the keys are loaded half as often.
        var vectors = MemoryMarshal.Cast<long, Vector<long>>(keys);
        for (var i = 0; i < ranks.Length; i += 2)
        {
            var (one, other) = (new Vector<long>(keys[i]), new Vector<long>(keys[Math.Min(i + 1, ranks.Length - 1)]));
            var (less, lessOther) = (Vector<long>.Zero, Vector<long>.Zero);
            foreach (var vector in vectors)
            {
                less -= Vector.LessThan(vector, one);
                lessOther -= Vector.LessThan(vector, other);
            }

            ranks[i] = (int)Vector.Sum(less);
            ranks[Math.Min(i + 1, ranks.Length - 1)] = (int)Vector.Sum(lessOther);
        }
    }

    private static void SortKeys(Span<long> keys, Span<int> ranks, ColumnScratch scratch)
    {
        var came = scratch.Slots(keys.Length)[..keys.Length];
        for (var i = 0; i < came.Length; i++)
        {
            came[i] = i;
        }

        keys.Sort(came);
        for (var i = 0; i < came.Length; i++)
        {
            ranks[came[i]] = i;
        }
    }
}
