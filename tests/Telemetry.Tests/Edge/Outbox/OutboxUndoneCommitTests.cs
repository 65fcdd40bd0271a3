using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>
/// A commit that the disk refused, and that was rolled back, leaves nothing in memory that the file lacks: what it had
/// taken is in the next one, or in none.
/// </summary>
public sealed class OutboxUndoneCommitTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // Found by the simulation: frames named a schema that no commit had made, and the cloud could never store them.
    [Theory]
    [InlineData(OutboxFault.Full, 1)]
    [InlineData(OutboxFault.Busy, 3)]
    [InlineData(OutboxFault.Io, 1)]
    public void Frames_name_schemas_that_are_in_the_file_though_more_series_came_since(OutboxFault fault, int undone) =>
        OutboxRig.Run(async rig =>
        {
            await BeginAsync(rig);
            for (var i = 0; i < undone; i++)
            {
                await UndoneAsync(rig, fault, rig.Series($"undone {i}"));
            }

            var later = rig.Series("later");
            for (var series = 0; series <= later; series++)
            {
                await rig.AcceptAsync(2, series);
            }

            CheckSchemas(rig);
            await rig.OpenAsync();
            Assert.Equal(later + 1, rig.Outbox.Series.Count);
            Assert.Equal(rig.Outbox.Schemas[^1].Message.Id, rig.Outbox.Series.Id);
            CheckSchemas(rig);
        });

    [Fact]
    public void Series_that_need_several_schemas_are_in_the_file_with_the_first_commit_that_succeeds() =>
        OutboxRig.Run(async rig =>
        {
            await BeginAsync(rig);
            for (var i = 0; i < 800; i++)
            {
                rig.Series($"metric {i} of a machine with a long name");
            }

            await UndoneAsync(rig, OutboxFault.Full, rig.Outbox.Series.Count - 1);
            rig.Series("later");
            for (var series = 0; series < rig.Outbox.Series.Count; series += 100)
            {
                await rig.AcceptAsync(1, series);
            }

            Assert.InRange(rig.Outbox.Schemas.Count, 3, 10);
            CheckSchemas(rig);
            await rig.OpenAsync();
            Assert.Equal(802, rig.Outbox.Series.Count);
        });

    [Fact]
    public void Epoch_that_an_undone_commit_began_is_known_to_nobody() => OutboxRig.Run(async rig =>
    {
        rig.Outbox.LinkUp = true;
        rig.Series();
        await UndoneAsync(rig, OutboxFault.Full, 0);
        Assert.Empty(rig.Outbox.OpenEpochs);
        await rig.AcceptAsync(3);
        var first = Assert.Single(rig.Outbox.OpenEpochs);
        Assert.Equal(default, first.Predecessor);
        Assert.Equal(1, rig.Sealed[^1].Key.First);

        rig.Outbox.StartNewEpoch("a fork");
        await UndoneAsync(rig, OutboxFault.Full, 0);
        Assert.Equal([first], rig.Outbox.OpenEpochs);
        Assert.Equal(3, first.Sealed.Live);
        await rig.AcceptAsync(2);

        var second = rig.Outbox.OpenEpochs[1];
        Assert.Equal((first.Epoch, 3L), (second.Predecessor.Epoch, second.Predecessor.Lasts.Live));
        Assert.Equal((second.Epoch, 1L), (rig.Sealed[^1].Key.Epoch, rig.Sealed[^1].Key.First));
        Assert.Equal([first.Epoch, second.Epoch], rig.Disk.Snapshot().Epochs.Values.Select(e => e.Epoch));
    });

    [Fact]
    public void Request_of_an_undone_commit_is_not_remembered_and_can_be_repeated() => OutboxRig.Run(async rig =>
    {
        rig.Series();
        rig.Disk.CommitFault = () => OutboxFault.Full;
        Assert.False((await RequestAsync(rig, 1)).IsAccepted);
        Assert.Null(rig.Outbox.FindRequest(1));
        Assert.Equal(0, rig.Outbox.Requests.Remembered);
        await WorksAgainAsync(rig);

        Assert.True((await RequestAsync(rig, 2)).IsAccepted);
        Assert.True((await RequestAsync(rig, 1)).IsAccepted);
        Assert.Equal([2, 1], rig.Disk.Snapshot().Requests.Values.Select(r => (int)r.Request.Key));
        await rig.OpenAsync();
        Assert.NotNull(rig.Outbox.FindRequest(1));
        Assert.Equal(2, rig.Outbox.Accepted);
    });

    [Fact]
    public void Tombstone_and_quarantine_of_an_undone_commit_come_once_with_the_next_one() =>
        OutboxRig.Run(async rig =>
        {
            await BeginAsync(rig);
            var frame = rig.Outbox.Held.Single();
            rig.Disk.CommitFault = () => OutboxFault.Io;
            var quarantine = rig.Outbox.QuarantineAsync(frame, "refused", default).AsTask();
            await rig.After(Second / 2);
            Assert.False(frame.Freed || quarantine.IsCompleted);
            await WorksAgainAsync(rig);
            await quarantine;

            Assert.Equal(frame.Key, Assert.Single(rig.Disk.Snapshot().Quarantine).Key);
            Assert.Equal(FrameKind.Tombstone, (await rig.HeaderAsync(rig.Outbox.Held.Single())).Kind);
            await rig.OpenAsync();
            Assert.Equal(FrameKind.Tombstone, (await rig.HeaderAsync(rig.Outbox.Held.Single())).Kind);
        });

    [Fact]
    public void Receipts_and_frees_of_an_undone_commit_and_those_that_came_during_it_are_in_the_next_one() =>
        OutboxRig.Run(async rig =>
        {
            await BeginAsync(rig);
            await rig.AcceptAsync(2);
            await rig.AcceptAsync(3);
            await rig.AcceptAsync(4);
            var frames = rig.Outbox.Held.ToList();
            rig.Outbox.Free(frames[0]);
            rig.Outbox.NoteReceipt(frames[1], new Receipt(StreamKind.Live, 7));
            rig.Outbox.NoteReceipt(frames[2], new Receipt(StreamKind.Live, 8));
            rig.Disk.BeforeDurable = () => new ValueTask(rig.After(Second));
            rig.Disk.CommitFault = () => OutboxFault.Busy;
            var offer = rig.Offer(rig.Batch(1));
            await rig.After(Second / 2);
            rig.Outbox.Free(frames[1]);
            rig.Outbox.NoteReceipt(frames[3], new Receipt(StreamKind.Live, 9));
            Assert.False((await offer).IsAccepted);
            Assert.Equal([frames[0].Key, frames[1].Key], rig.Outbox.FreedNotDurably);
            rig.Disk.BeforeDurable = null;
            await WorksAgainAsync(rig);
            await rig.AcceptAsync(5);

            Assert.Empty(rig.Outbox.FreedNotDurably);
            await rig.OpenAsync();
            Assert.Equal([null, 8L, 9L], rig.Outbox.Held
                .OrderBy(f => f.Receipt?.Sequence).Select(f => f.Receipt?.Sequence));
            Assert.Equal(3, Assert.Single(rig.Outbox.OpenEpochs[0].Freed(Lane.Live).Runs).Range.Last);
        });

    [Fact]
    public void Segments_of_an_undone_sealing_are_sealed_by_the_next_one_with_the_same_sequences() =>
        OutboxRig.Run(async rig =>
        {
            await rig.AcceptAsync(5);
            await rig.AcceptAsync(6);
            rig.Disk.CommitFault = () => OutboxFault.Full;
            Assert.Equal(0, await rig.SealAsync());
            Assert.Equal((11L, 2), (rig.Outbox.UnsealedReadings, rig.Disk.Snapshot().Segments.Count));
            Assert.Empty(rig.Outbox.Held);
            await WorksAgainAsync(rig);
            while (await rig.SealAsync() > 0)
            {
            }

            Assert.Equal(0, rig.Outbox.UnsealedReadings);
            Assert.Empty(rig.Disk.Snapshot().Segments);
            Assert.Equal(1, rig.Outbox.Held.First().Key.First);
            Assert.Equal(11, rig.Outbox.OpenEpochs.Single().Sealed.Backlog);
        });

    private static async Task BeginAsync(OutboxRig rig)
    {
        rig.Outbox.LinkUp = true;
        await rig.AcceptAsync();
    }

    /// <summary>An offer of one series that comes back refused, its commit undone; the disk works again then.</summary>
    private static async Task UndoneAsync(OutboxRig rig, OutboxFault fault, int series)
    {
        rig.Disk.CommitFault = () => fault;
        Assert.False((await rig.Offer(rig.Batch(1, series))).IsAccepted);
        await WorksAgainAsync(rig);
    }

    /// <summary>So long after the disk works again that it is not left alone any more.</summary>
    private static Task WorksAgainAsync(OutboxRig rig)
    {
        rig.Disk.CommitFault = null;
        return rig.After(Second * 31);
    }

    private static Task<OfferOutcome> RequestAsync(OutboxRig rig, UInt128 key) => rig.Outbox.OfferAsync(
        rig.Batch(), TimeSpan.Zero, critical: false, default, new AnsweredRequest(key, 7, "answer"u8.ToArray()))
        .AsTask();

    /// <summary>The file's chain is whole, and the schema that a frame names stands in it.</summary>
    private static void CheckSchemas(OutboxRig rig)
    {
        var disk = rig.Disk.Snapshot();
        var chain = disk.Schemas.Values.Select(s => s.Message).ToList();
        Assert.Equal(Enumerable.Range(1, chain.Count).Select(i => (long)i), disk.Schemas.Keys);
        Assert.Equal(chain.SkipLast(1).Select(s => s.Id), chain.Skip(1).Select(s => s.Parent));
        Assert.Equal(chain.Select(s => s.Id), rig.Outbox.Schemas.Select(s => s.Message.Id));
        Assert.All(disk.Frames.Values, f => Assert.Contains(f.Schema, chain.Select(s => s.Id)));
        Assert.All(rig.Outbox.Held, f => Assert.Contains(f.Schema, chain.Select(s => s.Id)));
    }
}
