using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Runtime;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>
/// The outbox on a disk that is full to the last page, with another program that takes what becomes free.
/// </summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private const int DiskBytes = 12 * 1024 * 1024;
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private readonly EventLoop _loop = new("test");
    private SmallDisk _disk = null!;

    public Task InitializeAsync()
    {
        _disk = SmallDisk.WhyNot is null ? new SmallDisk(DiskBytes) : null!;
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _loop.Dispose();
        if (_disk is not null)
        {
            await _disk.DisposeAsync();
        }
    }

    [SmallDiskFact]
    public Task Backlog_of_a_full_disk_drains_and_readings_are_taken_again_in_its_place() => _loop.RunAsync(async () =>
    {
        await using var outbox = await OpenAsync();
        var accepted = await FillAsync(outbox);

        Assert.Equal(OutboxFault.Full, outbox.Standing.DiskFailure!.Fault);
        Assert.InRange(accepted, 100, 10_000);
        await DrainAsync(outbox);
        await UntilAsync(outbox, () => outbox.Standing.Problem is null);
        Assert.True((await OfferAsync(outbox)).IsAccepted);
        Assert.Equal(accepted + 100, outbox.Accepted);
        Assert.False(outbox.Failed.IsCompleted);
    });

    [SmallDiskFact]
    public Task Agent_that_starts_on_a_full_disk_drains_it() => _loop.RunAsync(async () =>
    {
        long accepted;
        await using (var outbox = await OpenAsync())
        {
            accepted = await FillAsync(outbox);
        }

        _disk.TakeAllThatIsLeft();
        await using var again = await OpenAsync();
        Assert.Equal((accepted, accepted), (again.Accepted, again.UnsealedReadings));
        await DrainAsync(again);
        // The first offer may still be refused: the commit that frees what was drained is its own.
        await UntilAsync(again, async () => (await OfferAsync(again)).IsAccepted);
        await UntilAsync(again, () => again.Standing.Problem is null);
    });

    [SmallDiskFact]
    public Task Readings_are_taken_again_when_another_program_gives_room_back() => _loop.RunAsync(async () =>
    {
        await using var outbox = await OpenAsync();
        var accepted = await FillAsync(outbox);
        _disk.GiveBack();
        await UntilAsync(outbox, async () => (await OfferAsync(outbox)).IsAccepted);
        Assert.Null(outbox.Standing.Problem);
        Assert.Equal(accepted + 100, outbox.Accepted);
    });

    [SmallDiskFact]
    public Task What_was_accepted_before_the_disk_was_full_is_there_and_nothing_else() => _loop.RunAsync(async () =>
    {
        long accepted;
        await using (var outbox = await OpenAsync())
        {
            accepted = await FillAsync(outbox);
        }

        await using var file = await SqliteOutboxFile.OpenAsync(_disk.At("outbox.db"), null, default);
        var image = await file.LoadAsync(GatewayId.Parse("gw-1"), default);
        Assert.Equal((accepted, accepted), (image.Accepted, image.Segments.Sum(s => (long)s.Count)));
        foreach (var segment in image.Segments)
        {
            Assert.NotNull((await file.ReadSegmentAsync(segment.Id, default)).Data);
        }
    });

    [SmallDiskFact]
    public async Task Read_only_disk_is_named_and_its_outbox_is_as_it_was_afterwards()
    {
        await (await SqliteOutboxFile.OpenAsync(_disk.At("outbox.db"), null, default)).DisposeAsync();
        var before = await File.ReadAllBytesAsync(_disk.At("outbox.db"));
        _disk.SetReadOnly(true);
        var error = await Assert.ThrowsAsync<OutboxException>(
            () => SqliteOutboxFile.OpenAsync(_disk.At("outbox.db"), null, default));
        Assert.Contains("Read-only file system", error.Message, StringComparison.Ordinal);
        Assert.Equal(OutboxFault.ReadOnly, error.Fault);
        _disk.SetReadOnly(false);
        Assert.Equal(before, await File.ReadAllBytesAsync(_disk.At("outbox.db")));
        await (await SqliteOutboxFile.OpenAsync(_disk.At("outbox.db"), null, default)).DisposeAsync();
    }

    private static async Task<OfferOutcome> OfferAsync(ReadingOutbox outbox)
    {
        var series = outbox.SeriesIndex(
            new SeriesDefinition { Device = "d", Metric = "text", Type = MetricType.Text });
        var batch = new ReadingBatch();
        for (var i = 0; i < 100; i++)
        {
            batch.AddText(series, i, Text(i));
        }

        return await outbox.OfferAsync(batch, TimeSpan.Zero, false, default);
    }

    // Of little pattern, so that compact columns need as many bytes.
    private static string Text(int seed)
    {
        var random = new Random(seed);
        return string.Create(2000, random, static (text, r) =>
        {
            foreach (ref var character in text)
            {
                character = (char)r.Next(' ', '~');
            }
        });
    }

    private async Task<long> FillAsync(ReadingOutbox outbox)
    {
        _disk.TakeAllThatIsLeft();
        while ((await OfferAsync(outbox)).IsAccepted)
        {
            _disk.TakeAllThatIsLeft();
        }

        return outbox.Accepted;
    }

    // What a link does: one frame after the other goes up and is stored.
    private async Task DrainAsync(ReadingOutbox outbox)
    {
        await UntilAsync(outbox, async () =>
        {
            _disk.TakeAllThatIsLeft();
            await outbox.SealBacklogAsync(8, 8192, 65_536, default);
            foreach (var frame in outbox.Held.ToList())
            {
                Assert.NotNull(await outbox.ReadAsync(frame, default));
                outbox.Free(frame);
            }

            return outbox.UnsealedReadings == 0;
        });
    }

    private static Task UntilAsync(ReadingOutbox outbox, Func<bool> holds) =>
        UntilAsync(outbox, () => Task.FromResult(holds()));

    private static async Task UntilAsync(ReadingOutbox outbox, Func<Task<bool>> holds)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(start) < Within,
                $"{outbox.UnsealedReadings} of {outbox.Accepted} readings wait: {outbox.Standing.Problem}");
            await Task.Delay(20);
        }
    }

    private async Task<ReadingOutbox> OpenAsync() => await ReadingOutbox.OpenAsync(
        await SqliteOutboxFile.OpenAsync(_disk.At("outbox.db"), null, default),
        GatewayId.Parse("gw-1"),
        new OutboxOptions(),
        TimeProvider.System,
        new Random(1),
        default);
}
