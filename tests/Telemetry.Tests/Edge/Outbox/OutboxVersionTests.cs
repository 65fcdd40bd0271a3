using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Model.Frames;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>Frames of version 0 and 1 in one outbox, and what an earlier agent left in it.</summary>
public sealed class OutboxVersionTests
{
    [Fact]
    public void Frames_are_of_version_0_until_the_cloud_says_that_it_reads_more() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(3);
        rig.Outbox.FrameVersion = 200;
        await rig.AcceptAsync(3);
        rig.Outbox.FrameVersion = 0;
        await rig.AcceptAsync(3);

        Assert.Equal("0 1 0", string.Join(' ', await VersionsAsync(rig)));
    });

    [Fact]
    public void A_frame_keeps_its_version_and_bytes_when_the_agent_learns_another() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync(5);
        var before = (await rig.Outbox.ReadAsync(rig.Sealed[0], default))!.Value.ToArray();
        await rig.OpenAsync();
        rig.Outbox.FrameVersion = 1;
        var held = Assert.Single(rig.Outbox.Held);

        Assert.Equal(before, (await rig.Outbox.ReadAsync(held, default))!.Value.ToArray());
        Assert.True(rig.Outbox.Free(held));
    });

    [Fact]
    public void Segments_of_an_earlier_agent_go_up_in_compact_frames() => OutboxRig.Run(async rig =>
    {
        await rig.AcceptAsync(40, firstTime: 1000);
        await rig.AcceptAsync(40, firstTime: 2000);
        rig.Disk.RewriteSegment(1, segment => Plain(segment, rig.Outbox.Series.Types));
        await rig.OpenAsync();
        rig.Outbox.FrameVersion = 1;

        Assert.Equal(1, await rig.SealAsync());
        var (header, readings, _) = await rig.ReadAsync(Assert.Single(rig.Sealed));
        Assert.Equal((1, 80), (header.Version, header.Present));
        Assert.Equal(
            [.. Enumerable.Range(1000, 40), .. Enumerable.Range(2000, 40)],
            readings.Times.ToArray().Select(t => (int)t));
    });

    [Fact]
    public void A_compact_frame_holds_as_many_readings_as_a_frame_may() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.FrameVersion = 1;
        await rig.AcceptAsync(8192, firstTime: 10);
        await rig.AcceptAsync(8192, firstTime: 10_000);
        await rig.SealAsync();

        Assert.Equal([8192, 8192], rig.Sealed.Select(f => f.Key.Count));
        Assert.All(rig.Sealed, f => Assert.InRange(f.Bytes, 1, 8192));
    });

    [Fact]
    public void Noise_that_does_not_shrink_is_cut_to_64_KiB() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        rig.Outbox.FrameVersion = 1;
        var random = new Random(3);
        var batch = new ReadingBatch();
        var series = rig.Series();
        for (var i = 0; i < 8192; i++)
        {
            batch.Add(series, random.NextInt64(rig.Now), (ulong)random.NextInt64(long.MinValue, long.MaxValue));
        }

        await rig.Offer(batch);

        Assert.Equal(8192, rig.Sealed.Sum(f => f.Key.Count));
        Assert.All(rig.Sealed, f => Assert.InRange(f.Bytes, 1, FrameHeader.BytesMax));
        Assert.InRange(rig.Sealed.Count, 2, 4);
    });

    private static byte[] Plain(SegmentRow segment, ReadOnlySpan<MetricType> types)
    {
        var batch = new ReadingBatch();
        SegmentColumns.Read(segment.Data.Span, batch, segment.Count, types);
        var order = new int[batch.Count];
        batch.Order(order);
        var writer = new WireWriter();
        ReadingColumns.Write(writer, batch, order, types);
        return writer.ToArray();
    }

    private static async Task<int[]> VersionsAsync(OutboxRig rig)
    {
        var versions = new List<int>();
        foreach (var frame in rig.Sealed)
        {
            versions.Add((await rig.HeaderAsync(frame)).Version);
        }

        return [.. versions];
    }
}
