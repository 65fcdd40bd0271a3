using Telemetry.Model.Frames.Columns;

namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>A dictionary's entries and places, by a hash table of few slots.</summary>
public class DistinctValuesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(16)]
    public void Places_give_the_values_back(int distinct)
    {
        var random = new Random(distinct);
        ulong[] pool = [.. Enumerable.Range(0, distinct).Select(_ => (ulong)random.NextInt64())];
        ulong[] values = [.. pool, .. Enumerable.Range(0, 200).Select(_ => pool[random.Next(distinct)])];
        var entries = new ulong[16];
        var places = new long[values.Length];

        Assert.Equal(distinct, DistinctValues.Find(values, entries, places, new int[32]));
        Assert.Equal(pool, entries[..distinct]);
        Assert.Equal(values, places.Select(place => entries[(int)place]));
    }

    /// <summary>Whether the slot of the last one is free or another has it.</summary>
    [Fact]
    public void One_more_than_there_is_room_for_is_too_many()
    {
        for (ulong step = 1; step < 50; step++)
        {
            ulong[] values = [.. Enumerable.Range(0, 17).Select(i => (ulong)i * step)];

            Assert.Equal(16, DistinctValues.Find(values.AsSpan(0, 16), new ulong[16], new long[17], new int[32]));
            Assert.Equal(-1, DistinctValues.Find(values, new ulong[16], new long[17], new int[32]));
        }
    }
}
