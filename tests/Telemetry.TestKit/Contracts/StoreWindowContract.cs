using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Windows;
using Xunit;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.TestKit.Contracts;

/// <summary>The contract of every store: parts of windows, their revisions, and reading stored readings back.</summary>
public abstract class StoreWindowContract : StoreDeadLetterContract
{
    private const long Minute = 60_000_000;
    private static readonly FrameKey Key = new(ulong.MaxValue, Lane.Backlog, 100, 50);

    [Fact]
    public Task Parts_and_revisions_come_back_as_they_were() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        List<StoredPart> expected = [];
        List<StoredRevision> revisions = [];

        await Commit(under.Store, row, c =>
        {
            foreach (var part in AllKinds(c))
            {
                c.Parts.Add(part);
                c.Revisions.Add(new WindowRevisionRow(Gateway, Key, RevisionCause.Recovered, part));
            }

            expected.AddRange(c.Parts.Select(StoredPart.Of));
            revisions.AddRange(c.Revisions.Select(StoredRevision.Of));
            Assert.Equal(expected.Count, expected.Distinct().Count());
        });

        Assert.Equal(expected, (await under.ReadAllParts()).OrderBy(expected.IndexOf));
        Assert.Equal(revisions.ToHashSet(), (await under.ReadAllRevisions()).ToHashSet());
    });

    [Fact]
    public Task Parts_are_only_added_to_and_what_was_committed_does_not_change() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        SeriesEntry series = null!;
        WindowPart part = null!;
        row = await Commit(
            under.Store, row, c => c.Parts.Add(part = Part(series = c.Register(MetricType.Int), 0, 1, 2)));
        var first = StoredPart.Of(part);
        part.Add(3, ReadingFlags.None, 9, 9);

        await Commit(under.Store, row, c => c.Parts.AddRange([part, Part(series, Minute, 7)]));

        var parts = await under.ReadAllParts();
        Assert.Equal(3, parts.Count);
        Assert.Equal(
            new[] { first, StoredPart.Of(part), StoredPart.Of(Part(series, Minute, 7)) }.ToHashSet(),
            parts.ToHashSet());
        Assert.Empty(await under.ReadAllRevisions());
    });

    [Fact]
    public Task Many_parts_go_in_one_commit() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        List<StoredPart> expected = [];

        await Commit(under.Store, row, c =>
        {
            var series = c.Register(MetricType.Int);
            c.Parts.AddRange(Enumerable.Range(0, 3_000).Select(i => Part(series, i * Minute, (ulong)i, 1)));
            expected.AddRange(c.Parts.Select(StoredPart.Of));
        });

        Assert.Equal(expected, (await under.ReadAllParts()).OrderBy(p => p.Window.Start));
    });

    [Fact]
    public Task Removed_parts_are_whole_windows_of_the_span_beyond_the_watermark() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        SeriesEntry minutes = null!, seconds = null!, others = null!;
        row = await Commit(under.Store, row, c =>
        {
            (minutes, seconds) = (c.Register(MetricType.Int), c.Register(MetricType.Int, device: "door"));
            others = Others(c);
            foreach (var series in (SeriesEntry[])[minutes, others])
            {
                c.Parts.AddRange(Enumerable.Range(-3, 10).Select(m => Part(series, m * Minute, 1)));
            }

            c.Parts.Add(Part(minutes, 3 * Minute, 2));
            c.Parts.AddRange(Enumerable.Range(0, 24).Select(i => PartOf(10, seconds, i * 10_000_000, 1)));
        });

        // The removal comes first, so that a part of the same commit stays.
        row = await Commit(under.Store, row, c =>
        {
            c.RemovedParts.Add(new PartRemoval(Gateway, new OpenSpan(Minute, (3 * Minute) + 10_000_000), 2 * Minute));
            c.Parts.Add(Part(minutes, 2 * Minute, 5));
        });

        var parts = await under.ReadAllParts();
        Assert.Equal(10, parts.Count(p => p.Series == others.Identity));
        Assert.Equal(
            [-3, -2, -1, 0, 1, 2, 3, 3, 4, 5, 6],
            parts.Where(p => p.Series == minutes.Identity).Select(p => p.Window.Start / Minute).Order());
        Assert.Equal(
            5ul, parts.Single(p => p.Series == minutes.Identity && p.Window.Start == 2 * Minute).Bits!.Value.Min);
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19, 20, 21, 22, 23],
            parts.Where(p => p.Series == seconds.Identity).Select(p => (int)(p.Window.Start / 10_000_000)).Order());

        // Before the first watermark, nothing is complete.
        await Commit(under.Store, row, c => c.RemovedParts.Add(
            new PartRemoval(Gateway, new OpenSpan(-2 * Minute, Minute), long.MinValue)));

        Assert.Equal(
            [-3, 1, 2, 3, 3, 4, 5, 6],
            (await under.ReadAllParts()).Where(p => p.Series == minutes.Identity).Select(p => p.Window.Start / Minute)
                .Order());
    });

    [Fact]
    public Task Open_windows_of_a_gateway_come_back_and_its_gateways_are_found_by_partition() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var open = GatewayRow.New(Gateway, 0) with { OpenWindows = new OpenSpan(-Minute, 1_700_000_040_000_000) };
        var third = GatewayId.Parse("gw-0");
        Assert.Empty(await under.Store.FindOpenGatewaysAsync(0, default));
        row = await Commit(under.Store, row, c => c.Gateways.AddRange(
        [
            open, GatewayRow.New(Other, 1) with { OpenWindows = new OpenSpan(0, Minute) },
            open with { Gateway = third }, GatewayRow.New(GatewayId.Parse("gw-3"), 0),
        ]));

        Assert.Equal(open, (await Load(under.Store)).Gateway);
        Assert.Equal(OpenSpan.None, (await Load(under.Store, GatewayId.Parse("gw-3"))).Gateway!.OpenWindows);
        Assert.Equal([third, Gateway], await under.Store.FindOpenGatewaysAsync(0, default));
        Assert.Equal([Other], await under.Store.FindOpenGatewaysAsync(1, default));
        Assert.Empty(await under.Store.FindOpenGatewaysAsync(2, default));

        await Commit(under.Store, row, c => c.Gateways.Add(open with { OpenWindows = OpenSpan.None }));

        Assert.Equal(OpenSpan.None, (await Load(under.Store)).Gateway!.OpenWindows);
        Assert.Equal([third], await under.Store.FindOpenGatewaysAsync(0, default));
    });

    [Fact]
    public Task Stored_readings_are_read_by_gateway_and_span_in_their_order() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        SeriesEntry a = null!, b = null!, unknown = null!, others = null!;
        row = await Commit(under.Store, row, c =>
        {
            (a, b) = (c.Register(MetricType.Int), c.Register(MetricType.Text));
            (unknown, others) = (c.Register(MetricType.Int, device: "door"), Others(c));
            foreach (var time in (long[])[Minute, 5, -1, 0, Minute - 1, 10 * Minute])
            {
                c.Readings.AddText(b, time, ReadingFlags.None, Encoding.UTF8.GetBytes($"ü{time}"));
                c.Readings.Add(a, time, ReadingFlags.None, (ulong)time);
                c.Readings.Add(unknown, time, ReadingFlags.None, 1);
                c.Readings.Add(others, time, ReadingFlags.None, 2);
            }
        });
        await Commit(under.Store, row, c => c.Readings.Add(a, 3, ReadingFlags.None, 3));
        var known = new[] { a, b, others }.ToDictionary(s => s.Number);
        var rows = new ReadingBuffer();
        rows.Add(a, 77, ReadingFlags.None, 0);

        var counts = await under.Store.ReadReadingsAsync(
            [(Other, new(Minute, 10 * Minute)), (Gateway, new(0, Minute)), (GatewayId.Parse("gw-3"), new(0, Minute))],
            (gateway, number) => known.TryGetValue(number, out var entry) && entry.Gateway == gateway ? entry : null,
            rows, int.MaxValue, default);

        Assert.True(counts.IsAll);
        Assert.Equal([1, 7, 0], counts.Gateways);
        Assert.Equal(
            [(a, 77L), (others, Minute), (a, 0), (a, 3), (a, 5), (a, Minute - 1), (b, 0), (b, 5), (b, Minute - 1)],
            Enumerable.Range(0, rows.Count).Select(i => (rows.Series[i], rows.Times[i])));
        Assert.Equal($"ü{Minute - 1}", Encoding.UTF8.GetString(rows.Text(rows.Bits[8])));
        Assert.Empty((await under.Store.ReadReadingsAsync([], (_, _) => null, rows, int.MaxValue, default)).Gateways);
    });

    [Fact]
    public Task Stored_readings_of_all_types_are_read_bit_for_bit() => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        var series = new List<SeriesEntry>();
        var expected = new List<(SeriesEntry, long, ReadingFlags, ulong, string)>();
        await Commit(under.Store, row, c =>
        {
            foreach (var type in Enum.GetValues<MetricType>())
            {
                foreach (byte decimals in type == MetricType.Float
                    ? [0, 2, 14, 15, SeriesDefinition.DecimalsUnknown] : (byte[])[SeriesDefinition.DecimalsUnknown])
                {
                    var entry = c.Register(type, decimals);
                    series.Add(entry);
                    AddValues(c.Readings, entry);
                }
            }

            expected.AddRange(Rows(c.Readings));
        });
        var rows = new ReadingBuffer();

        var counts = await under.Store.ReadReadingsAsync(
            [(Gateway, new OpenSpan(0, Minute))], (_, number) => series.Single(s => s.Number == number), rows,
            int.MaxValue, default);

        Assert.Equal([expected.Count], counts.Gateways);
        Assert.Equal(expected, Rows(rows));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Commit_that_fails_leaves_parts_and_open_windows_as_they_were(bool refused) => RunAsync(async under =>
    {
        var row = await Take(under.Store);
        SeriesEntry series = null!;
        row = await Commit(under.Store, row, c => c.Parts.Add(Part(series = c.Register(MetricType.Int), 0, 1, 2)));
        var commit = new StoreCommit
        {
            Partitions = { Step(refused ? row : row with { Commits = 77 }) },
            RemovedParts = { new PartRemoval(Gateway, new OpenSpan(0, Minute), long.MinValue) },
            Parts = { Part(series, 0, 5) },
            Gateways = { GatewayRow.New(Gateway, 0) with { OpenWindows = new OpenSpan(0, Minute) } },
        };
        commit.Revisions.Add(new WindowRevisionRow(Gateway, Key, RevisionCause.Late, commit.Parts[0]));
        if (refused)
        {
            commit.Readings.AddText(commit.Register(MetricType.Text), 1, ReadingFlags.None, [0]);
            Assert.True((await Assert.ThrowsAsync<StoreException>(
                () => under.Store.CommitAsync(commit, default))).IsDataFault);
        }
        else
        {
            Assert.Equal(CommitOutcome.NotOwner, await under.Store.CommitAsync(commit, default));
        }

        Assert.Equal([StoredPart.Of(Part(series, 0, 1, 2))], await under.ReadAllParts());
        Assert.Empty(await under.ReadAllRevisions());
        Assert.Empty(await under.Store.FindOpenGatewaysAsync(0, default));
    });

    // One of each kind: exact and not, in order and not, without values, sums beyond 64 bits, what is not a number.
    private static IEnumerable<WindowPart> AllKinds(StoreCommit commit)
    {
        foreach (var type in Enum.GetValues<MetricType>())
        {
            var series = commit.Register(type, 2);
            var readings = new ReadingBuffer();
            AddValues(readings, series);
            for (var row = 0; row < readings.Count; row++)
            {
                yield return Add(new WindowPart().Begin(series, new WindowSpan((row + 2) * Minute, 1)), readings, row);
            }

            var all = new WindowPart().Begin(series, new WindowSpan(0, 60, HasQuantiles: true));
            var back = new WindowPart().Begin(series, new WindowSpan(-Minute, 60));
            for (var row = 0; row < readings.Count; row++)
            {
                Add(all, readings, row);
                Add(back, readings, readings.Count - 1 - row);
            }

            back.IsLate = true;
            yield return all;
            yield return back;
        }

        var beyond = new WindowPart().Begin(commit.Register(MetricType.Int, device: "door"), new WindowSpan(0, 300));
        beyond.Add(0, ReadingFlags.None, long.MaxValue, 1);
        beyond.Add(1, ReadingFlags.None, long.MaxValue, ulong.MaxValue);
        beyond.Add(299_999_999, ReadingFlags.None, 1, 7);
        yield return beyond;

        WindowPart Add(WindowPart part, ReadingBuffer rows, int row)
        {
            part.Add(part.Start + rows.Times[row], rows.Flags[row], rows.Bits[row], rows.HashOf(row));
            return part;
        }
    }

    private static void AddValues(ReadingBuffer rows, SeriesEntry series)
    {
        var time = 0;
        foreach (var flags in (ReadingFlags[])[ReadingFlags.None, (ReadingFlags)(byte)Quality.Uncertain
            | ReadingFlags.TimeEstimated, (ReadingFlags)(byte)Quality.Bad])
        {
            if (series.Type == MetricType.Text)
            {
                rows.AddText(series, time++, flags, "grün"u8);
                rows.AddText(series, time++, flags, []);
            }
            else
            {
                foreach (var bits in BitsOf(series.Type))
                {
                    rows.Add(series, time++, flags, bits);
                }
            }

            rows.Add(series, time++, flags | ReadingFlags.Null, 0);
        }
    }

    private static ulong[] BitsOf(MetricType type) => type switch
    {
        MetricType.Bool => [0, 1],
        MetricType.Int => [0, unchecked((ulong)long.MinValue), long.MaxValue, unchecked((ulong)-3)],
        MetricType.UInt => [0, 5, 1ul << 63, ulong.MaxValue],
        _ =>
        [
            .. ((double[])[0, -0.0, 21.37, -0.07, 1e300, double.Epsilon, double.PositiveInfinity,
                double.NegativeInfinity, 0.1 + 0.2]).Select(BitConverter.DoubleToUInt64Bits),
            0x7FF0_0000_0000_0001, 0xFFFF_FFFF_FFFF_FFFF,
        ],
    };

    private static IEnumerable<(SeriesEntry, long, ReadingFlags, ulong, string)> Rows(ReadingBuffer rows) =>
        Enumerable.Range(0, rows.Count).Select(i => (
            rows.Series[i], rows.Times[i], rows.Flags[i], rows.IsText(i) ? 0 : rows.Bits[i],
            rows.IsText(i) ? Encoding.UTF8.GetString(rows.Text(rows.Bits[i])) : "")).ToArray();

    private static SeriesEntry Others(StoreCommit commit)
    {
        var schema = Extend(SeriesList.Empty(Other), Series("pump", "flow") with { Type = MetricType.Int });
        commit.Schemas.Add(schema);
        return schema.List.Entries[0];
    }

    private static WindowPart Part(SeriesEntry series, long start, params ulong[] values) =>
        PartOf(60, series, start, values);

    private static WindowPart PartOf(int width, SeriesEntry series, long start, params ulong[] values)
    {
        var part = new WindowPart().Begin(series, new WindowSpan(start, width, HasQuantiles: values.Length > 1));
        for (var i = 0; i < values.Length; i++)
        {
            part.Add(start + i, ReadingFlags.None, values[i], values[i]);
        }

        return part;
    }
}
