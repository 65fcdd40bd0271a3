using Telemetry.Model.Readings;

namespace Telemetry.Model.Frames.Columns;

/// <summary>The distinct values of a column, and where each of its values stands among them.</summary>
internal static class DistinctValues
{
    private const int SampleLength = 16;

    /// <summary>True when half of a sample of at least sixteen values come again in it.</summary>
    public static bool AreFew(ReadOnlySpan<ulong> values)
    {
        Span<ulong> sample = stackalloc ulong[SampleLength];
        var again = 0;
        for (var i = 0; i < sample.Length; i++)
        {
            sample[i] = values[(int)((uint)values.Length * (uint)i / SampleLength)];
            again += sample[..i].Contains(sample[i]) ? 1 : 0;
        }

        return again >= SampleLength / 2;
    }

    /// <summary>
    /// The distinct values as they come, and each value's place among them; -1 when they are too many.
    /// </summary>
    public static int Find(ReadOnlySpan<ulong> values, Span<ulong> entries, Span<long> places, Span<int> slots)
    {
        var count = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            if (i > 0 && value == values[i - 1])
            {
                places[i] = places[i - 1];
                continue;
            }

            var slot = (int)((value * 0x9E37_79B9_7F4A_7C15) >> 40) & (slots.Length - 1);
            while (slots[slot] != 0 && entries[slots[slot] - 1] != value)
            {
                slot = (slot + 1) & (slots.Length - 1);
            }

            if (slots[slot] == 0)
            {
                if (count == entries.Length)
                {
                    return -1;
                }

                entries[count++] = value;
                slots[slot] = count;
            }

            places[i] = slots[slot] - 1;
        }

        return count;
    }

    /// <summary>Sorts the entries as numbers and moves the places with them.</summary>
    public static void Sort(Span<ulong> entries, Span<long> places, MetricType type, ColumnScratch scratch)
    {
        var keys = scratch.Keys.Of(entries.Length);
        var came = scratch.Items.Of(entries.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            // Doubles' bits below the sign run backwards where it is set.
            var bits = (long)entries[i];
            keys[i] = type == MetricType.Float ? bits ^ ((bits >> 63) & long.MaxValue) : bits;
            came[i] = i;
        }

        keys.Sort(came);
        for (var i = 0; i < keys.Length; i++)
        {
            entries[i] = (ulong)(type == MetricType.Float ? keys[i] ^ ((keys[i] >> 63) & long.MaxValue) : keys[i]);
        }

        var sorted = scratch.Slots(entries.Length);
        for (var i = 0; i < came.Length; i++)
        {
            sorted[came[i]] = i;
        }

        foreach (ref var place in places)
        {
            place = sorted[(int)place];
        }
    }
}
