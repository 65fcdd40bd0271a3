using Telemetry.Inputs.Generator;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Servers;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.Generator;

public sealed class GeneratorInputTests : IAsyncLifetime
{
    private static readonly GeneratorOptions Options =
        new() { ReadingsPerSecond = 100, Devices = 2, SeriesPerDevice = 6 };

    private readonly TemporaryFolder _folder = new();

    private string Journal => _folder.At("journal");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public void Makes_readings_at_its_rate_on_all_of_its_series() => OutboxRig.Run(async rig =>
    {
        var generator = new GeneratorInput(Options, null, rig.Clock);
        await RunFor(rig, generator, TimeSpan.FromSeconds(10));

        Assert.InRange(rig.Outbox.Accepted, 900, 1000);
        Assert.Equal(rig.Outbox.Accepted, generator.Acknowledged);
        Assert.Equal(12, rig.Outbox.Series.Count);
        Assert.Equal(Enum.GetValues<MetricType>().Order(), rig.Outbox.Series.Types.ToArray().Distinct().Order());
    });

    [Fact]
    public void Ends_at_its_number_of_readings_those_of_earlier_runs_included() => OutboxRig.Run(async rig =>
    {
        var options = Options with { ReadingsMax = 333 };
        using (var journal = Open())
        {
            await RunFor(rig, new GeneratorInput(options, journal, rig.Clock), TimeSpan.FromSeconds(1));
        }

        Assert.InRange(rig.Outbox.Accepted, 1, 332);
        using (var journal = Open())
        {
            await new GeneratorInput(options, journal, rig.Clock).RunAsync(rig.Outbox, CancellationToken.None);
        }

        Assert.Equal(333, rig.Outbox.Accepted);
    });

    [Fact]
    public void Every_acknowledged_reading_was_written_down_before() => OutboxRig.Run(async rig =>
    {
        using var journal = Open();
        rig.Disk.BeforeDurable = () =>
        {
            Assert.True(journal.Attempted > rig.Outbox.Accepted);
            return ValueTask.CompletedTask;
        };

        await RunFor(rig, new GeneratorInput(Options, journal, rig.Clock), TimeSpan.FromSeconds(3));

        Assert.Equal((rig.Outbox.Accepted, rig.Outbox.Accepted), (journal.Attempted, journal.Acknowledged));
    });

    [Fact]
    public void An_offer_that_fails_stays_attempted() => OutboxRig.Run(async rig =>
    {
        using var journal = Open();
        rig.Disk.FailCommits(1, happenAnyway: false);

        await Assert.ThrowsAsync<Telemetry.Edge.Outbox.OutboxException>(
            () => new GeneratorInput(Options, journal, rig.Clock).RunAsync(rig.Outbox, CancellationToken.None));

        Assert.True(journal.Attempted > 0);
        Assert.Equal(0, journal.Acknowledged);
    });

    [Fact]
    public void Event_times_grow_strictly_over_restarts_and_clock_steps() => OutboxRig.Run(async rig =>
    {
        for (var run = 0; run < 2; run++)
        {
            using var journal = Open();
            await RunFor(
                rig, new GeneratorInput(Options, journal, new StoppedClock(rig.Clock)), TimeSpan.FromSeconds(2));
        }

        var last = long.MinValue;
        using var reader = new JournalReader(Journal);
        while (reader.TryRead(out var block))
        {
            foreach (var entry in block.Entries)
            {
                Assert.True(entry.Time > last);
                last = entry.Time;
            }
        }

        Assert.NotEqual(long.MinValue, last);
    });

    [Fact]
    public void The_values_hold_what_pipelines_like_to_damage()
    {
        var batch = new ReadingBatch();
        var series = Enumerable.Range(0, 6).Select(i => GeneratorSeries.Of(Options, i, i)).ToList();
        for (var i = 0; i < 20_000; i++)
        {
            series[i % 6].Next(batch, i);
        }

        var flags = batch.Flags.ToArray();
        Assert.Contains(flags, f => (f & ReadingFlags.Null) != 0);
        Assert.Contains(flags, f => (f & ReadingFlags.QualityMask) == (ReadingFlags)Quality.Bad);
        Assert.Contains(BitConverter.DoubleToUInt64Bits(-0.0), Bits(batch, 0));
        Assert.Contains(0x7ff8_0000_dead_beefUL, Bits(batch, 1));
        Assert.Contains(ulong.MaxValue, Bits(batch, 3));
    }

    private static IEnumerable<ulong> Bits(ReadingBatch batch, int series)
    {
        for (var row = 0; row < batch.Count; row++)
        {
            if (batch.Series[row] == series)
            {
                yield return batch.Bits[row];
            }
        }
    }

    private static async Task RunFor(OutboxRig rig, GeneratorInput generator, TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time, rig.Clock);
        await generator.RunAsync(rig.Outbox, stop.Token);
    }

    private SenderJournal Open() => SenderJournal.Open(Journal, OutboxRig.Gateway);

    /// <summary>Its timers run, its time of day stands.</summary>
    private sealed class StoppedClock(TimeProvider time) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;

        public override long GetTimestamp() => time.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            time.CreateTimer(callback, state, dueTime, period);
    }
}
