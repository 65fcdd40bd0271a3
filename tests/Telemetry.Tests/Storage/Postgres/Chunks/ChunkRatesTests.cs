using Telemetry.Storage.Postgres.Chunks;

namespace Telemetry.Tests.Storage.Postgres.Chunks;

/// <summary>How fast chunks grow.</summary>
public sealed class ChunkRatesTests
{
    private static readonly DateTime Now = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Fastest_chunk_counts_with_what_was_converted() => Assert.Equal(
        3_000,
        ChunkRates.Greatest(
            [Of(-1, 1, 3_600), Of(-3, -2, 3_600_000, 7_200_000), Of(-5, -4, 3_600)], Now));

    [Fact]
    public void Open_chunk_counts_by_the_time_that_has_passed() =>
        Assert.Equal(1_000, ChunkRates.Greatest([Of(-1, 23, 3_600_000)], Now));

    [Fact]
    public void Chunks_of_the_last_minutes_of_the_future_and_older_than_a_week_do_not_count() => Assert.Equal(
        0,
        ChunkRates.Greatest(
            [Of(-0.1, 1, 1_000_000_000), Of(30, 31, 1_000_000_000), Of(-200, -169, 1_000_000_000)], Now));

    [Fact]
    public void Without_chunks_the_rate_is_zero() => Assert.Equal(0, ChunkRates.Greatest([], Now));

    private static Chunk Of(double from, double to, long rows, long converted = 0) =>
        new("", "reading", Now.AddHours(from), Now.AddHours(to), 0, rows, converted, 0);
}
