using Telemetry.Processing;
using Telemetry.Storage;

namespace Telemetry.Tests.Processing.Intake;

/// <summary>How much goes into one transaction when more waits than fits.</summary>
public sealed class TransactionSizeTests
{
    private const int ReadingsMax = 8_192, FrameReadings = 1_000, LiveFrames = 100, BacklogFrames = 10;
    private static readonly TimeSpan SlowStore = TimeSpan.FromSeconds(1);
    private readonly List<(int Readings, long Live, long Backlog)> _commits = [];
    private readonly ProcessorRig _rig = ProcessorRig.WithSchema(
        new ProcessorOptions { BatchReadingsMax = ReadingsMax });

    public TransactionSizeTests()
    {
        // Slow, so that messages gather while it works.
        (_rig.Store.Calls.LatencyMin, _rig.Store.Calls.LatencyMax) = (SlowStore, SlowStore);
        _rig.Store.Fails = Watch;
    }

    [Fact]
    public void Transaction_holds_its_readings_and_one_frame_more_at_most()
    {
        _rig.Give(Frames(1, LiveFrames));

        Assert.Equal(LiveFrames * FrameReadings, _rig.Books.Stored);
        Assert.Equal(((ReadingsMax / FrameReadings) + 1) * FrameReadings, _commits.Max(c => c.Readings));
    }

    [Fact]
    public void Duplicates_fill_transactions_too_so_that_leases_are_renewed_between_them()
    {
        _rig.Give(Frames(1, LiveFrames));
        _commits.Clear();

        _rig.Give(Frames(1, LiveFrames));

        Assert.Equal(LiveFrames, _rig.Counters.Duplicates);
        Assert.Equal(LiveFrames, _commits.Sum(c => c.Live));
        Assert.Equal((ReadingsMax / FrameReadings) + 1, _commits.Max(c => c.Live));
    }

    [Fact]
    public void Backlog_has_its_part_of_every_transaction_that_live_frames_would_fill()
    {
        _rig.GiveBoth(Frames(1, LiveFrames), Frames(1_000_001, BacklogFrames));

        Assert.Equal((LiveFrames + BacklogFrames) * FrameReadings, _rig.Books.Stored);
        var backlogDone = _commits.FindLastIndex(c => c.Backlog > 0);
        Assert.True(
            _commits.Skip(backlogDone + 1).Sum(c => c.Live) > 0, "the backlog waited until no live frame was left");
    }

    private static byte[][] Frames(long first, int count) =>
        [.. Enumerable.Range(0, count).Select(i => ProcessorRig.Floats(first + (i * FrameReadings), FrameReadings))];

    private string? Watch(StoreCommit commit)
    {
        var step = commit.Partitions[0];
        _commits.Add((
            commit.Readings.Count,
            step.Live.Sequence - step.Expected.Live.Sequence,
            step.Backlog.Sequence - step.Expected.Backlog.Sequence));
        return null;
    }
}
