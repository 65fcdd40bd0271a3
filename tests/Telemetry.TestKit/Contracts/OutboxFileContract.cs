using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>What every outbox file must keep; one subclass a kind of file, one instance a test.</summary>
public abstract class OutboxFileContract : IAsyncLifetime
{
    private const ulong Epoch = 0xfedc_ba98_7654_3210;

    private static readonly SchemaMessage Schema = SchemaMessage.Of(
        default, [new SeriesDefinition { Device = "pump-1", Metric = "temperature" }]);

    /// <summary>Whose the file is.</summary>
    protected static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private IOutboxFile _file = null!;

    public virtual async Task InitializeAsync()
    {
        _file = await OpenFileAsync();
        await _file.LoadAsync(Gateway, CancellationToken.None);
    }

    public virtual async Task DisposeAsync() => await _file.DisposeAsync();

    [Fact]
    public async Task New_file_has_an_id_that_stays()
    {
        var image = await ReopenAsync();
        Assert.NotEqual(0UL, image.OutboxId);
        Assert.Equal(image.OutboxId, (await ReopenAsync()).OutboxId);
        Assert.Equal((0L, long.MinValue), (image.Accepted, image.PromisedW));
        Assert.Empty(image.Segments);
        Assert.Empty(image.Frames);
        Assert.Empty(image.Epochs);
    }

    [Fact]
    public async Task File_of_another_gateway_is_refused_and_stays_as_it_is()
    {
        await CommitAsync(Commit(5));
        await _file.DisposeAsync();
        _file = await OpenFileAsync();

        var refused = await Assert.ThrowsAsync<OutboxException>(
            () => _file.LoadAsync(GatewayId.Parse("gw-2"), CancellationToken.None).AsTask());

        Assert.Equal((OutboxFault.OtherGateway, false), (refused.Fault, refused.IsTransient));
        Assert.Contains("is of the gateway gw-1, and this agent is gw-2", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5, (await ReopenAsync()).Accepted);
    }

    [Fact]
    public async Task What_a_commit_wrote_is_there_after_reopening()
    {
        var segment = Segment(7, 100);
        var frame = Frame(Lane.Live, 1, 10) with { Receipt = new Receipt(StreamKind.Live, 42) };
        var epoch = EpochOf(Epoch, 1);
        var drop = new DropRow(3, new Declaration(0, 5, -1, 1, DropReason.Quota));
        await CommitAsync(new OutboxCommit
        {
            Accepted = 110,
            PromisedW = -5,
            Segments = [segment],
            Frames = [frame],
            Epochs = [epoch],
            Drops = [drop],
            Schemas = [new SchemaRow(Schema, 1)],
        });

        var image = await ReopenAsync();
        Assert.Equal((110L, -5L), (image.Accepted, image.PromisedW));
        Assert.Equal(segment with { Data = default, Counts = default }, Assert.Single(image.Segments));
        Assert.Equal(frame with { Data = default, Counts = default }, Assert.Single(image.Frames));
        Assert.Equal(drop, Assert.Single(image.Drops));
        var schema = Assert.Single(image.Schemas);
        Assert.Equal((Schema.Id, 1L), (schema.Message.Id, schema.Order));
        AssertSame(epoch, Assert.Single(image.Epochs));
        AssertBytes(segment.Data, segment.Counts, await _file.ReadSegmentAsync(7, CancellationToken.None));
        AssertBytes(frame.Data, frame.Counts, await _file.ReadFrameAsync(frame.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_commit_that_is_refused_leaves_nothing()
    {
        await CommitAsync(Commit(10) with { Segments = [Segment(1, 10)] });
        await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(Commit(9) with
        {
            Segments = [Segment(2, 1)],
            RemovedSegments = [1],
            Frames = [Frame(Lane.Live, 1, 1)],
        }));

        var image = await ReopenAsync();
        Assert.Equal(10, image.Accepted);
        Assert.Equal(1, Assert.Single(image.Segments).Id);
        Assert.Empty(image.Frames);
    }

    [Fact]
    public async Task Accepted_never_falls()
    {
        await CommitAsync(Commit(10));
        await CommitAsync(Commit(10));
        var error = await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(Commit(9)));
        Assert.False(error.IsTransient);
        Assert.Equal(10, (await ReopenAsync()).Accepted);
    }

    [Fact]
    public async Task New_facts_of_a_frame_leave_its_bytes()
    {
        var frame = Frame(Lane.Backlog, 1, 10);
        await CommitAsync(Commit(10) with { Frames = [frame], Epochs = [EpochOf(Epoch, 1)] });
        var noted = frame with { Receipt = new Receipt(StreamKind.Backlog, 9), Data = default, Counts = default };
        await CommitAsync(Commit(10) with { Frames = [noted] });

        Assert.Equal(noted, Assert.Single((await ReopenAsync()).Frames));
        AssertBytes(frame.Data, frame.Counts, await _file.ReadFrameAsync(frame.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_frame_that_is_not_held_loses_its_bytes_and_keeps_its_facts()
    {
        var frame = Frame(Lane.Live, 1, 10);
        await CommitAsync(Commit(10) with { Frames = [frame], Epochs = [EpochOf(Epoch, 1)] });
        var gone = frame with { Held = false, Data = default, Counts = default };
        await CommitAsync(Commit(10) with { Frames = [gone] });

        Assert.Equal(gone, Assert.Single((await ReopenAsync()).Frames));
        var stored = await _file.ReadFrameAsync(frame.Id, CancellationToken.None);
        Assert.Null(stored.Data);
        Assert.Equal(frame.Counts.ToArray(), stored.Counts);
    }

    [Fact]
    public async Task A_frame_written_again_replaces_the_one_of_its_name()
    {
        var frame = Frame(Lane.Live, 1, 10);
        var tombstone = Frame(Lane.Live, 1, 10, seed: 9) with { Dropped = 10 };
        await CommitAsync(Commit(10) with { Frames = [frame], Epochs = [EpochOf(Epoch, 1)] });
        await CommitAsync(Commit(10) with { Frames = [tombstone] });

        Assert.Equal(10, Assert.Single((await ReopenAsync()).Frames).Dropped);
        AssertBytes(tombstone.Data, tombstone.Counts, await _file.ReadFrameAsync(frame.Id, CancellationToken.None));
    }

    [Fact]
    public async Task What_is_removed_is_gone_and_removing_it_twice_is_no_error()
    {
        var frame = Frame(Lane.Live, 1, 10);
        await CommitAsync(Commit(20) with
        {
            Segments = [Segment(1, 10), Segment(2, 10)],
            Frames = [frame],
            Drops = [new DropRow(1, new Declaration(0, 1, 0, 0, DropReason.Quota))],
        });
        var removal = Commit(20) with { RemovedSegments = [1], RemovedFrames = [frame.Id], RemovedDrops = [1] };
        await CommitAsync(removal);
        await CommitAsync(removal);

        var image = await ReopenAsync();
        Assert.Equal(2, Assert.Single(image.Segments).Id);
        Assert.Empty(image.Frames);
        Assert.Empty(image.Drops);
        Assert.Equal(default, await _file.ReadFrameAsync(frame.Id, CancellationToken.None));
        Assert.Equal(default, await _file.ReadSegmentAsync(1, CancellationToken.None));
    }

    [Fact]
    public async Task An_image_is_in_order_of_epoch_then_lane_then_sequence()
    {
        const ulong newer = 5;
        FrameRow[] frames =
        [
            Frame(Lane.Critical, 1, 1),
            Frame(Lane.Live, 1, 9),
            Frame(Lane.Live, 10, 5),
            Frame(Lane.Backlog, 1, 1),
            Frame(Lane.Critical, 1, 2, epoch: newer),
            Frame(Lane.Backlog, 1, 2, epoch: newer),
        ];
        await CommitAsync(Commit(100) with
        {
            Segments = [Segment(12, 1), Segment(3, 1)],
            Frames = [.. frames.Reverse()],
            Epochs = [EpochOf(newer, 2), EpochOf(Epoch, 1)],
        });

        var image = await ReopenAsync();
        Assert.Equal([3L, 12L], image.Segments.Select(s => s.Id));
        Assert.Equal(frames.Select(f => f.Id), image.Frames.Select(f => f.Id));
        Assert.Equal([Epoch, newer], image.Epochs.Select(e => e.Epoch));
    }

    [Fact]
    public async Task An_epoch_is_replaced_by_its_order()
    {
        await CommitAsync(Commit(1) with { Epochs = [EpochOf(Epoch, 1)] });
        var later = EpochOf(Epoch, 1) with { Sealed = new LaneLasts(1, 2, 3), Complete = true };
        await CommitAsync(Commit(1) with { Epochs = [later] });
        AssertSame(later, Assert.Single((await ReopenAsync()).Epochs));
    }

    [Fact]
    public async Task Quarantine_keeps_the_newest()
    {
        for (var i = 0; i < QuarantineRow.RowsMax + 3; i++)
        {
            var row = new QuarantineRow(
                new FrameKey(Epoch, Lane.Live, i + 1, 1), $"reason {i}", i, new byte[] { 1, (byte)i });
            await CommitAsync(Commit(0) with { Quarantined = [row] });
        }

        await ReopenAsync();
        var kept = await _file.ReadQuarantineAsync(CancellationToken.None);
        Assert.Equal(Enumerable.Range(3, QuarantineRow.RowsMax).Select(i => $"reason {i}"), kept.Select(r => r.Reason));
        Assert.Equal([1, 3], kept[0].Data.ToArray());
        Assert.Equal(new FrameKey(Epoch, Lane.Live, 4, 1), kept[0].Key);
    }

    [Fact]
    public async Task Requests_are_remembered_with_their_commit_and_the_oldest_are_forgotten()
    {
        await CommitAsync(Commit(10) with { Requests = [Request(1), Request(2)], Segments = [Segment(1, 10)] });
        await CommitAsync(Commit(20) with { Requests = [Request(3)], RequestsForgottenTo = 1 });
        await Assert.ThrowsAnyAsync<Exception>(() => CommitAsync(Commit(9) with { Requests = [Request(4)] }));

        var rows = (await ReopenAsync()).Requests;
        Assert.Equal([2L, 3L], rows.Select(r => r.Order));
        Assert.Equal(
            (Request(2).Request.Key, Request(2).Request.Content), (rows[0].Request.Key, rows[0].Request.Content));
        Assert.Equal(Request(2).Request.Answer.ToArray(), rows[0].Request.Answer.ToArray());
        Assert.True(rows[1].Request.Answer.IsEmpty);
    }

    [Fact]
    public async Task The_caller_may_reuse_its_memory_after_a_commit()
    {
        var segment = Segment(1, 10);
        var data = segment.Data.ToArray();
        await CommitAsync(Commit(10) with { Segments = [segment with { Data = data }] });
        Array.Clear(data);
        AssertBytes(segment.Data, segment.Counts, await _file.ReadSegmentAsync(1, CancellationToken.None));
    }

    /// <summary>Opens the one file of this test, as a new process would after the last one closed it.</summary>
    protected abstract Task<IOutboxFile> OpenFileAsync();

    /// <summary>Closes the file and opens it anew.</summary>
    protected async Task<OutboxImage> ReopenAsync()
    {
        await _file.DisposeAsync();
        _file = await OpenFileAsync();
        return await _file.LoadAsync(Gateway, CancellationToken.None);
    }

    protected Task CommitAsync(OutboxCommit commit) => _file.CommitAsync(commit, CancellationToken.None).AsTask();

    protected Task<StoredBytes> ReadSegmentAsync(long id) =>
        _file.ReadSegmentAsync(id, CancellationToken.None).AsTask();

    protected Task<StoredBytes> ReadFrameAsync(FrameId id) => _file.ReadFrameAsync(id, CancellationToken.None).AsTask();

    protected static OutboxCommit Commit(long accepted) => new() { Accepted = accepted, PromisedW = 0 };

    protected static SegmentRow Segment(long id, int count) => new(
        id, count, 3, -1000, 1000 + id, 5000, Bytes(5000, (int)id), Bytes(7, (int)id + 1));

    protected static FrameRow Frame(Lane lane, long first, int count, int seed = 1, ulong epoch = Epoch)
    {
        var data = Bytes(6000, seed);
        var checksum = System.IO.Hashing.XxHash64.HashToUInt64(data.AsSpan(..^8));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(^8..), checksum);
        return new FrameRow(
            new FrameKey(epoch, lane, first, count), 0, checksum, Schema.Id, 6000, true, null, 2, -9, 9, data,
            Bytes(5, seed));
    }

    // An odd one has an empty answer.
    private static RequestRow Request(int order) => new(order, new AnsweredRequest(
        new UInt128(ulong.MaxValue - (ulong)order, 5), new UInt128(7, (ulong)order),
        order % 2 == 0 ? Bytes(9, order) : default));

    private static EpochRow EpochOf(ulong epoch, long order) => new(
        epoch,
        order,
        new Predecessor(~epoch, new LaneLasts(4, 5, 6)),
        new LaneLasts(7, 8, 9),
        [
            FreedLane.Empty,
            new FreedLane([
                new FreedRun(new SequenceRange(1, 5), ulong.MaxValue), new FreedRun(new SequenceRange(7, 8), 3)]),
            new FreedLane([new FreedRun(new SequenceRange(2, 2), 0)]),
        ],
        Complete: false);

    private static byte[] Bytes(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void AssertBytes(ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> counts, StoredBytes stored)
    {
        Assert.Equal(data.ToArray(), stored.Data);
        Assert.Equal(counts.ToArray(), stored.Counts);
    }

    private static void AssertSame(EpochRow expected, EpochRow actual)
    {
        Assert.Equal(expected with { Freed = actual.Freed }, actual);
        Assert.Equal(expected.Freed.Select(f => f.Runs), actual.Freed.Select(f => f.Runs));
    }
}
