using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Servers;

namespace Telemetry.Tests.Inputs.Senders;

public sealed class SenderJournalTests : IAsyncLifetime
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly SeriesList Series = SeriesList.Empty(Gateway).Extend(SchemaMessage.Of(
        default,
        [
            new SeriesDefinition { Device = "d", Metric = "m" },
            new SeriesDefinition { Device = "d", Metric = "t", Type = MetricType.Text },
        ]));

    private readonly TemporaryFolder _folder = new();

    private string File => _folder.At("journal");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    private static readonly SeriesIdentity Number = Series.Entries[0].Identity, Text = Series.Entries[1].Identity;

    [Fact]
    public void Readings_come_back_with_series_time_and_hash()
    {
        using (var journal = SenderJournal.Open(File, Gateway))
        {
            journal.Attempt(Batch(7), Series);
        }

        using var reader = new JournalReader(File);
        Assert.Equal(Gateway, reader.Gateway);
        Assert.True(reader.TryRead(out var block));
        Assert.Equal((JournalKind.Attempted, 1u), (block.Kind, block.Offer));
        Assert.Equal(
            [
                new JournalEntry(Number, 7, ReadingHash.OfRow(Batch(7), 0, Number, MetricType.Float)),
                new JournalEntry(Text, 8, ReadingHash.OfText(Text, 8, ReadingFlags.None, "ü"u8)),
            ],
            block.Entries.ToArray());
    }

    [Fact]
    public void Another_run_goes_on_behind_the_first()
    {
        using (var first = SenderJournal.Open(File, Gateway))
        {
            first.Acknowledge(first.Attempt(Batch(7), Series), 2);
            first.Attempt(Batch(20), Series);
        }

        using var second = SenderJournal.Open(File, Gateway);
        Assert.Equal((2u, 21L, 4L, 2L), (second.Offers, second.LastTime, second.Attempted, second.Acknowledged));
        Assert.Equal(3u, second.Attempt(Batch(30), Series));
    }

    [Fact]
    public void Answers_may_come_in_another_order_than_offers()
    {
        using (var first = SenderJournal.Open(File, Gateway))
        {
            var one = first.Attempt(Batch(7), Series);
            var two = first.Attempt(Batch(20), Series);
            first.Acknowledge(two, 2);
            first.Refuse(one);
        }

        using var second = SenderJournal.Open(File, Gateway);
        Assert.Equal((4L, 2L), (second.Attempted, second.Acknowledged));
    }

    [Fact]
    public void A_block_cut_anywhere_counts_for_nothing_and_is_cut_off()
    {
        using (var journal = SenderJournal.Open(File, Gateway))
        {
            journal.Acknowledge(journal.Attempt(Batch(7), Series), 2);
        }

        var whole = new FileInfo(File).Length;
        using (var journal = SenderJournal.Open(File, Gateway))
        {
            journal.Attempt(Batch(20), Series);
        }

        var bytes = System.IO.File.ReadAllBytes(File);
        for (var length = (int)whole; length < bytes.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, bytes[..length]);
            using (var journal = SenderJournal.Open(File, Gateway))
            {
                Assert.Equal((1u, 2L), (journal.Offers, journal.Attempted));
            }

            Assert.Equal(whole, new FileInfo(File).Length);
        }
    }

    [Fact]
    public void A_damaged_block_and_all_behind_it_count_for_nothing()
    {
        using (var journal = SenderJournal.Open(File, Gateway))
        {
            journal.Attempt(Batch(7), Series);
            journal.Attempt(Batch(20), Series);
        }

        var bytes = System.IO.File.ReadAllBytes(File);
        bytes[JournalFormat.HeaderBytes + JournalFormat.BlockHeadBytes] ^= 1;
        System.IO.File.WriteAllBytes(File, bytes);

        using var reader = new JournalReader(File);
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Another_gateways_journal_is_refused()
    {
        SenderJournal.Open(File, Gateway).Dispose();

        Assert.Throws<InvalidDataException>(() => SenderJournal.Open(File, GatewayId.Parse("gw-2")));
    }

    private static ReadingBatch Batch(long time)
    {
        var batch = new ReadingBatch();
        batch.Add(0, time, 1.5);
        batch.AddText(1, time + 1, "ü");
        return batch;
    }
}
