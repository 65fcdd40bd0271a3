using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Runtime;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>The whole outbox as the daemon runs it: on its loop, with its file.</summary>
public sealed class SqliteOutboxTests : IAsyncLifetime
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly TemporaryFolder _folder = new();
    private readonly EventLoop _loop = new("test");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _loop.Dispose();
        await _folder.DisposeAsync();
    }

    [Fact]
    public Task Readings_come_back_bit_for_bit_after_a_restart() => _loop.RunAsync(async () =>
    {
        var batch = new ReadingBatch();
        await using (var outbox = await OpenAsync())
        {
            var number = outbox.SeriesIndex(new SeriesDefinition { Device = "d", Metric = "number" });
            var text = outbox.SeriesIndex(
                new SeriesDefinition { Device = "d", Metric = "text", Type = MetricType.Text });
            batch.Add(number, 1, BitConverter.UInt64BitsToDouble(0x7ff8_dead_beef_0001));
            batch.Add(number, 2, -0.0);
            batch.AddText(text, 3, "grün");
            Assert.True((await outbox.OfferAsync(batch, TimeSpan.Zero, false, default)).IsAccepted);
        }

        await using var again = await OpenAsync();
        Assert.Equal(3, again.Accepted);
        var frames = new List<HeldFrame>();
        again.Sealed += frames.Add;
        Assert.Equal(1, await again.SealBacklogAsync(8, 8192, 65_536, default));
        var bytes = await again.ReadAsync(frames[0], default);
        var readings = new ReadingBatch();
        FrameReader.Read(bytes!.Value.Span, again.Series.Types, readings, []);
        Assert.Equal(batch.Bits[..2].ToArray(), readings.Bits[..2].ToArray());
        Assert.Equal("grün"u8.ToArray(), readings.Text(readings.Bits[2]).ToArray());
    });

    [Fact]
    public Task A_frame_that_left_memory_is_read_from_the_file() => _loop.RunAsync(async () =>
    {
        await using var outbox = await OpenAsync(new OutboxOptions { CacheBytesMax = 0 });
        outbox.LinkUp = true;
        await OfferAsync(outbox, 5000);
        Assert.True(outbox.Held.Count >= 2);
        foreach (var frame in outbox.Held)
        {
            var bytes = await outbox.ReadAsync(frame, default);
            Assert.Equal(frame.Checksum, FrameHeader.Checksum(bytes!.Value.Span));
        }
    });

    [Fact]
    public Task Many_offers_at_once_share_commits_and_are_all_durable() => _loop.RunAsync(async () =>
    {
        await using (var outbox = await OpenAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => OfferAsync(outbox, 10)));
            Assert.Equal(5000, outbox.Accepted);
        }

        await using var again = await OpenAsync();
        Assert.Equal((5000L, 5000L), (again.Accepted, again.UnsealedReadings));
    });

    [Fact]
    public Task A_deadline_is_kept_on_the_real_clock() => _loop.RunAsync(async () =>
    {
        await using var outbox = await OpenAsync(new OutboxOptions { CommitDeadline = TimeSpan.FromMilliseconds(100) });
        var start = TimeProvider.System.GetTimestamp();
        var batch = Batch(outbox, 1);
        await outbox.OfferAsync(batch, null, false, default);
        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(100));
        Assert.True(_loop.IsCurrent);
    });

    [Theory]
    [InlineData(128 * 1024)]
    [InlineData(0)]
    public Task At_the_quota_the_files_take_no_more_of_the_disk_than_it_says(int reserve) => _loop.RunAsync(async () =>
    {
        const int quota = 2 * 1024 * 1024;
        var file = SqliteOutboxOptions.For(quota) with { ReserveBytes = reserve };
        await using var outbox = await ReadingOutbox.OpenAsync(
            await SqliteOutboxFile.OpenAsync(_folder.At("outbox.db"), file, default),
            Gateway,
            new OutboxOptions { QuotaBytes = quota },
            TimeProvider.System,
            new Random(1),
            default);
        var random = new Random(1);
        OfferOutcome outcome;
        do
        {
            var batch = new ReadingBatch();
            var series = outbox.SeriesIndex(new SeriesDefinition { Device = "d", Metric = "number" });
            for (var i = 0; i < 1000; i++)
            {
                batch.Add(series, i, random.NextDouble());
            }

            outcome = await outbox.OfferAsync(batch, TimeSpan.Zero, false, default);
        }
        while (outcome.IsAccepted);

        Assert.Equal(OfferRefusal.Quota, outcome.Refusal);
        Assert.True(outbox.Standing.AtQuota);
        Assert.Null(outbox.Standing.DiskFailure);
        Assert.InRange(
            new FileInfo(_folder.At("outbox.db")).Length + new FileInfo(_folder.At("outbox.db-wal")).Length,
            quota / 2,
            quota);
    });

    private static async Task OfferAsync(ReadingOutbox outbox, int count)
    {
        var outcome = await outbox.OfferAsync(Batch(outbox, count), TimeSpan.FromMilliseconds(5), false, default);
        Assert.True(outcome.IsAccepted, outcome.Reason);
    }

    private static ReadingBatch Batch(ReadingOutbox outbox, int count)
    {
        var series = outbox.SeriesIndex(new SeriesDefinition { Device = "d", Metric = "number" });
        var batch = new ReadingBatch();
        for (var i = 0; i < count; i++)
        {
            batch.Add(series, i, (double)i);
        }

        return batch;
    }

    private async Task<ReadingOutbox> OpenAsync(OutboxOptions? options = null) => await ReadingOutbox.OpenAsync(
        await SqliteOutboxFile.OpenAsync(_folder.At("outbox.db"), null, default),
        Gateway,
        options ?? new OutboxOptions(),
        TimeProvider.System,
        new Random(1),
        default);
}
