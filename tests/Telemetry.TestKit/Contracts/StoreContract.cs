using System.Text;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// The contract of every store; each has a subclass. In addition to leases, ledger and alerts: readings, drops and dead
/// letters are read back unchanged, and a failed commit leaves nothing.
/// </summary>
public abstract class StoreContract : StoreWindowContract
{
    private static readonly SeriesIdentity Named = new(ulong.MaxValue, 1);

    [Fact]
    public Task Floats_come_back_bit_for_bit_with_and_without_known_decimals() => RunAsync(async under =>
    {
        ulong[] bits =
        [
            .. ((double[])[0, -0.0, 21.37, -21.37, 0.1 + 0.2, 1e300, -1e-300, double.Epsilon, double.MaxValue,
                double.PositiveInfinity, double.NegativeInfinity, double.NaN, 9007199254740993, 90071992547409.91,
                1234567.891, 0.07, 1.005, 123456789012345.67]).Select(BitConverter.DoubleToUInt64Bits),
            0x7FF0_0000_0000_0001, 0x7FF8_DEAD_BEEF_0001, 0xFFF8_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
        ];
        var expected = new List<StoredReading>();
        var row = await Take(under.Store);

        await Commit(under.Store, row, commit =>
        {
            foreach (byte decimals in (byte[])[0, 1, 2, 3, 6, 14, 15, SeriesDefinition.DecimalsUnknown])
            {
                var series = commit.Register(MetricType.Float, decimals);
                foreach (var value in bits)
                {
                    var time = expected.Count;
                    commit.Readings.Add(series, time, ReadingFlags.None, value);
                    expected.Add(StoredReading.Number(series, time, value));
                }
            }
        });

        Assert.Equal(expected, await Readings(under));
    });

    [Fact]
    public Task Random_floats_with_decimals_come_back_bit_for_bit() => RunAsync(async under =>
    {
        var random = new Random(20260101);
        var expected = new List<StoredReading>();
        var row = await Take(under.Store);

        await Commit(under.Store, row, commit =>
        {
            var series = Enumerable.Range(0, 16).Select(d => commit.Register(MetricType.Float, (byte)d)).ToArray();
            for (var i = 0; i < 20_000; i++)
            {
                var decimals = (byte)random.Next(16);
                var value = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(16));
                value = random.Next(4) == 0 ? value : Math.Round(value, decimals);
                var bits = BitConverter.DoubleToUInt64Bits(value);
                commit.Readings.Add(series[decimals], i, ReadingFlags.None, bits);
                expected.Add(StoredReading.Number(series[decimals], i, bits));
            }
        });

        Assert.Equal(expected, await Readings(under));
    });

    [Fact]
    public Task Integers_bools_texts_and_nulls_come_back_with_their_flags() => RunAsync(async under =>
    {
        var long_ = Encoding.UTF8.GetBytes(new string('é', ReadingBatch.TextBytesMax / 2));
        var bad = (ReadingFlags)(byte)Quality.Bad;
        var all = (ReadingFlags)(byte)Quality.Uncertain | ReadingFlags.TimeEstimated;
        var row = await Take(under.Store);
        SeriesEntry[] of = [];

        await Commit(under.Store, row, commit =>
        {
            of = [.. Enum.GetValues<MetricType>().Select(type => commit.Register(type, 2))];
            commit.Readings.Add(of[1], 1, ReadingFlags.None, unchecked((ulong)long.MinValue));
            commit.Readings.Add(of[2], 2, all, ulong.MaxValue);
            commit.Readings.Add(of[3], 3, bad, 1);
            commit.Readings.AddText(of[4], 4, ReadingFlags.None, long_);
            commit.Readings.AddText(of[4], 5, bad, []);
            commit.Readings.Add(of[0], 6, bad | ReadingFlags.Null, 0);
            commit.Readings.Add(of[4], 7, bad | ReadingFlags.Null, 0);
        });

        Assert.Equal(
            [
                StoredReading.Number(of[1], 1, unchecked((ulong)long.MinValue)),
                StoredReading.Number(of[2], 2, ulong.MaxValue, all),
                StoredReading.Number(of[3], 3, 1, bad),
                StoredReading.Of(of[4], 4, ReadingFlags.None, long_),
                StoredReading.Of(of[4], 5, bad, []),
                StoredReading.Null(of[0], 6, bad),
                StoredReading.Null(of[4], 7, bad),
            ],
            await Readings(under));
    });

    [Fact]
    public Task Times_of_any_year_are_stored_exactly() => RunAsync(async under =>
    {
        long[] times =
        [
            .. ((int[])[829, 1970, 1999, 2000, 2025, 2200, 3110]).Select(year =>
                (new DateTime(year, 7, 1, 12, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks / 10 + 1),
            -1, 0, WireReader.TimeMin, WireReader.TimeMax,
        ];
        var row = await Take(under.Store);

        await Commit(under.Store, row, commit =>
        {
            var series = commit.Register(MetricType.Int);
            foreach (var time in times)
            {
                commit.Readings.Add(series, time, ReadingFlags.None, 1);
            }
        });

        Assert.Equal(times.Order(), (await Readings(under)).Select(r => r.Time));
    });

    [Fact]
    public Task Same_reading_twice_is_kept_twice_for_the_ledger_alone_decides() => RunAsync(async under =>
    {
        var row = await Take(under.Store);

        await Commit(under.Store, row, commit =>
        {
            var series = commit.Register(MetricType.Int);
            commit.Readings.Add(series, 1, ReadingFlags.None, 1);
            commit.Readings.Add(series, 1, ReadingFlags.None, 1);
        });

        Assert.Equal(2, (await Readings(under)).Count);
    });

    [Fact]
    public Task Many_texts_and_many_rows_go_in_one_commit() => RunAsync(async under =>
    {
        var text = Encoding.UTF8.GetBytes(new string('x', ReadingBatch.TextBytesMax));
        var row = await Take(under.Store);
        SeriesEntry number = null!;
        row = await Commit(under.Store, row, commit =>
        {
            number = commit.Register(MetricType.Int);
            var words = commit.Register(MetricType.Text);
            for (var i = 0; i < 30_000; i++)
            {
                commit.Readings.Add(number, i, ReadingFlags.None, (ulong)i);
            }

            for (var i = 30_000; i < 30_200; i++)
            {
                commit.Readings.AddText(words, i, ReadingFlags.None, text);
            }
        });
        await Commit(under.Store, row, commit => commit.Readings.Add(number, 30_200, 0, 1));

        var stored = await Readings(under);

        Assert.Equal(Enumerable.Range(0, 30_201).Select(i => (long)i), stored.Select(r => r.Time));
        Assert.All(stored.Take(30_000), r => Assert.Equal((ulong)r.Time, r.Bits));
        Assert.All(stored.Skip(30_000).Take(200), r => Assert.Equal(text.Length, r.Text!.Length));
    });

    [Fact]
    public Task Dead_letters_and_drops_come_back_as_they_were() => RunAsync(async under =>
    {
        var frame = new FrameKey(ulong.MaxValue, Lane.Backlog, 100, 50);
        var letter = new DeadLetterRow(
            Gateway, frame, DeadLetterReason.Time, "year 200000", 3, Named, long.MaxValue, (byte[])[0, 255, 0, 1]);
        var drop = new DropLedgerRow(
            Gateway, frame, Named, new Declaration(6, 50, -5, 1_700_000_000_000_001, DropReason.Quota));
        var row = await Take(under.Store);

        await Commit(under.Store, row, commit =>
        {
            commit.DeadLetters.AddRange([letter, letter with { Reason = DeadLetterReason.Fork, Readings = 0 }]);
            commit.Drops.Add(drop);
        });

        var letters = await under.ReadAllDeadLetters();
        Assert.Equal([DeadLetterReason.Time, DeadLetterReason.Fork], letters.Select(l => l.Reason));
        Assert.Equal(letter.Bytes.ToArray(), letters[0].Bytes.ToArray());
        Assert.Equal(letter with { Bytes = default }, letters[0] with { Bytes = default });
        Assert.Equal([drop], await under.ReadAllDrops());
    });

    [Theory]
    [InlineData(new byte[] { (byte)'a', 0 })]
    [InlineData(new byte[] { 0xC3, 0x28 })]
    public Task Text_that_no_database_holds_is_a_data_fault_and_leaves_nothing(byte[] text) => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var commit = new StoreCommit { Partitions = { Step(row) } };
        Fill(commit);
        commit.Readings.AddText(commit.Register(MetricType.Text), 1, ReadingFlags.None, text);

        var e = await Assert.ThrowsAsync<StoreException>(() => under.Store.CommitAsync(commit, default));

        Assert.True(e.IsDataFault);
        Assert.False(e.MayHaveCommitted);
        await NothingIsThere(under);
        commit.Clear();
        commit.Partitions.Add(Step(row));
        Fill(commit);
        Assert.Equal(CommitOutcome.Committed, await under.Store.CommitAsync(commit, default));
        Assert.Single(await under.ReadAllReadings());
    });

    private static async Task<List<StoredReading>> Readings(IStoreUnderTest under) =>
        [.. (await under.ReadAllReadings()).OrderBy(r => r.Time)];
}
