using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Chunks;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Storage.Postgres.Chunks;

/// <summary>Which chunks are converted when.</summary>
public sealed class ChunkConversionTests
{
    // TimescaleDB's bits of a chunk.
    private const int Rows = 0, Converted = 1, Unordered = 3, Frozen = 4, Late = 9;

    private static readonly DateTime Closed = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    private readonly SimulatedClock _clock = new();
    private readonly PostgresStoreOptions _options = new()
    {
        ConnectionString = "",
        ChunkQuiet = TimeSpan.FromMinutes(5),
    };

    private readonly ChunkConversion _conversion;

    public ChunkConversionTests() => _conversion = new ChunkConversion(_options, _clock);

    [Fact]
    public void Closed_chunk_in_row_form_is_due_at_once_and_an_open_one_is_not() => Assert.Equal(
        ["closed", "just"],
        Due(Of("open", 1, Rows), Of("closed", -1, Rows), Of("just", 0, Rows), Of("done", -2, Converted)));

    [Fact]
    public void Chunk_that_somebody_has_frozen_is_left_alone() =>
        Assert.Empty(Due(Of("a", -1, Frozen), Of("b", -1, Frozen | Late)));

    [Fact]
    public void Late_rows_are_merged_when_no_more_have_come_for_a_while()
    {
        Assert.Empty(Due(Of("a", -1, Late, bytes: 8192)));
        _clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Empty(Due(Of("a", -1, Late, bytes: 16384)));
        _clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Empty(Due(Of("a", -1, Late, bytes: 16384)));
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(["a"], Due(Of("a", -1, Late, bytes: 16384)));
    }

    [Fact]
    public void Late_rows_that_never_stop_are_merged_in_the_end()
    {
        var looks = 0;
        for (; Due(Of("a", -1, Late, bytes: 8192 * looks)).Count == 0; looks++)
        {
            Assert.InRange(looks, 0, 60);
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(60, looks);
    }

    [Fact]
    public void Large_chunk_is_converted_but_what_comes_late_stays_beside_it()
    {
        var (wanted, large) = (8 * _options.ChunkBytes, 8 * _options.ChunkBytes + 8192);
        Assert.Equal(
            ["rows"], Due(Of("rows", -1, Rows, large), Of("small", -1, Late, wanted), Of("a", -1, Late, large)));
        _clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(["small"], Due(Of("small", -1, Late, wanted), Of("a", -1, Late, large)));
    }

    [Fact]
    public void Batches_that_overlap_are_merged_too()
    {
        Assert.Empty(Due(Of("a", -1, Unordered)));
        _clock.Advance(_options.ChunkQuiet);

        Assert.Equal(["a"], Due(Of("a", -1, Unordered)));
    }

    [Fact]
    public void Chunk_that_was_merged_meanwhile_waits_anew()
    {
        Assert.Empty(Due(Of("a", -1, Late, bytes: 8192)));
        Assert.Empty(Due(Of("a", -1, Converted)));
        _clock.Advance(_options.ChunkQuiet);

        Assert.Empty(Due(Of("a", -1, Late, bytes: 8192)));
    }

    private List<string> Due(params Chunk[] chunks) => [.. _conversion.Due(chunks, Closed).Select(chunk => chunk.Name)];

    private static Chunk Of(string name, int end, int status, long bytes = 0) =>
        new(name, "reading", Closed.AddHours(end - 1), Closed.AddHours(end), status, bytes, 0, 0);
}
