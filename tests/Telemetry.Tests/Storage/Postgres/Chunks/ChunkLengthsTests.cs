using Telemetry.Storage.Postgres.Chunks;

namespace Telemetry.Tests.Storage.Postgres.Chunks;

/// <summary>How long new chunks are.</summary>
public sealed class ChunkLengthsTests
{
    private const long Wanted = 32 << 20;

    [Theory]
    [InlineData(300, 24, 24)] // 25 MiB a day.
    [InlineData(400, 24, 12)] // 33 MiB a day.
    [InlineData(1_000, 24, 8)]
    [InlineData(9_000, 168, 1)]
    [InlineData(1_000_000_000, 168, 1)] // Never less than an hour.
    public void Chunk_that_would_get_too_large_is_shorter_at_once(double bytesPerSecond, int present, int expected) =>
        Assert.Equal(
            TimeSpan.FromHours(expected),
            ChunkLengths.Next(TimeSpan.FromHours(present), null, bytesPerSecond, Wanted));

    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(1, 24, 48)]
    [InlineData(1, 48, 168)]
    [InlineData(1, 168, 168)] // Never more than seven days.
    [InlineData(3_000, 1, 2)] // 21 MiB in two hours: seven tenths may be used.
    [InlineData(4_000, 1, 1)]
    public void Chunk_that_would_stay_small_is_longer_by_one_step(double bytesPerSecond, int present, int expected)
    {
        var length = TimeSpan.FromHours(present);

        Assert.Equal(
            TimeSpan.FromHours(expected), ChunkLengths.Next(length, (length, length / 2), bytesPerSecond, Wanted));
    }

    [Fact]
    public void Length_grows_only_when_half_of_a_chunk_of_the_present_length_has_passed()
    {
        var hour = TimeSpan.FromHours(1);

        Assert.Equal(hour, ChunkLengths.Next(hour, null, 0, Wanted));
        Assert.Equal(hour, ChunkLengths.Next(hour, (hour, hour * 0.49), 0, Wanted));
        Assert.Equal(hour, ChunkLengths.Next(hour, (hour / 2, hour / 2), 0, Wanted));
        Assert.Equal(hour, ChunkLengths.Next(hour, (24 * hour, 20 * hour), 0, Wanted));
        Assert.Equal(2 * hour, ChunkLengths.Next(hour, (hour, hour * 0.5), 0, Wanted));
    }

    [Fact]
    public void Length_does_not_alternate_at_any_constant_rate()
    {
        for (var rate = 1.0; rate < 1e6; rate *= 1.07)
        {
            var length = TimeSpan.FromHours(1);
            for (var step = 0; step < ChunkLengths.All.Count + 1; step++)
            {
                length = ChunkLengths.Next(length, (length, length), rate, Wanted);
            }

            Assert.Equal(length, ChunkLengths.Next(length, (length, length), rate, Wanted));
        }
    }
}
