using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// What every store does with what it refuses: it names the readings, and keeps dead letters within bounds.
/// </summary>
public abstract class StoreDeadLetterContract : StoreAlertContract
{
    private const int Refused = 1_234_567;

    [Fact]
    public Task Refused_readings_are_named_with_the_databases_words_and_nothing_is_stored() => RunAsync(async under =>
    {
        await under.RefuseTime(Refused);
        var row = await Commit(under.Store, await Take(under.Store), _ => { });
        var readings = new ReadingBuffer();
        var (number, text) = (Numbered(MetricType.Float, 2), Numbered(MetricType.Text));
        readings.Add(number, 1, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(21.5));
        readings.Add(number, Refused, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(double.NaN));
        readings.Add(Numbered(MetricType.UInt), 3, ReadingFlags.None, ulong.MaxValue);
        readings.AddText(text, 4, ReadingFlags.None, "Küche"u8);
        readings.AddText(text, 5, ReadingFlags.None, "n\0l"u8);
        readings.AddText(text, 6, ReadingFlags.None, [0xC3, 0x28]);
        readings.Add(text, 7, ReadingFlags.Null, 0);
        readings.Add(text, Refused, ReadingFlags.Null, 0);

        var found = await under.Store.FindRefusedAsync(readings, default);

        Assert.Equal([1, 4, 5, 7], found.Select(f => f.Row));
        Assert.All(found, f => Assert.NotEqual("", f.Error));
        Assert.Empty(await under.ReadAllReadings());
        Assert.Equal(row, await Take(under.Store));
    });

    [Fact]
    public Task None_is_refused_of_readings_that_are_good() => RunAsync(async under =>
    {
        var readings = new ReadingBuffer();
        var series = Numbered(MetricType.Int);
        for (var i = 0; i < FrameHeader.CountMax; i++)
        {
            readings.Add(series, i, ReadingFlags.None, 1);
        }

        Assert.Empty(await under.Store.FindRefusedAsync(readings, default));
        Assert.Empty(await under.ReadAllReadings());
    });

    [Fact]
    public Task Refused_commit_names_a_reading_that_was_refused_if_it_names_one() => RunAsync(async under =>
    {
        await under.RefuseTime(Refused);
        var commit = new StoreCommit { Partitions = { Step(await Take(under.Store)) } };
        var series = commit.Register(MetricType.Int);
        for (var i = 0; i < 3000; i++)
        {
            commit.Readings.Add(series, i == 2017 ? Refused : i, ReadingFlags.None, 1);
        }

        var e = await Assert.ThrowsAsync<StoreException>(() => under.Store.CommitAsync(commit, default));

        Assert.True(e.IsDataFault);
        Assert.Equal(under.NamesReadings ? 2017 : null, e.Reading);
    });

    [Fact]
    public Task Dead_letter_of_any_content_comes_back_as_it_was() => RunAsync(async under =>
    {
        var frame = new FrameKey(3, Lane.Critical, 4, 5);
        DeadLetterRow[] letters =
        [
            new(Gateway, frame, DeadLetterReason.Value, "nul", 1, new(6, 5), 7, default)
            {
                Content = DeadLetterContent.Value, Flags = ReadingFlags.Null | ReadingFlags.TimeEstimated,
            },
            new(Gateway, frame, DeadLetterReason.Database, "beyond", 3, default, 0, default)
            {
                Content = DeadLetterContent.Readings, Schema = new SchemaId(1, ulong.MaxValue),
            },
            new(Gateway, frame, DeadLetterReason.Malformed, "odd", 5, default, 0, default),
        ];

        await Commit(under.Store, await Take(under.Store), commit => commit.DeadLetters.AddRange(letters));

        Assert.Equal(letters, (await under.ReadAllDeadLetters()).Select(l => l with { Bytes = default }));
    });

    [Fact]
    public Task Of_letters_in_no_book_the_newest_stay_and_no_other_goes() => RunAsync(async under =>
    {
        var odd = new DeadLetterRow(Gateway, default, DeadLetterReason.Malformed, "", 0, default, 0, new byte[3]);
        var booked = odd with { Readings = 1 };
        var row = await Commit(under.Store, await Take(under.Store), commit =>
        {
            commit.DeadLetters.AddRange([booked, odd with { Gateway = Other }]);
            commit.DeadLetters.AddRange(Enumerable.Range(0, 80).Select(i => odd with { Time = i }));
        });
        Assert.Equal(82, (await under.ReadAllDeadLetters()).Count);

        await Commit(under.Store, row, commit =>
            commit.DeadLetters.AddRange(Enumerable.Range(80, 70).Select(i => odd with { Time = i })));

        var kept = await under.ReadAllDeadLetters();
        Assert.Equal(
            Enumerable.Range(50, 100).Select(i => (long)i),
            kept.Where(l => l.Gateway == Gateway && l.Readings == 0).Select(l => l.Time));
        Assert.Single(kept, l => l.Readings == 1);
        Assert.Single(kept, l => l.Gateway == Other);
    });
}
