using System.Globalization;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Windows;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>The widths of windows in the database: they are only added to.</summary>
public sealed class WidthTableTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long FiveMinutes = 300_000_000, Hour = 12 * FiveMinutes;

    private static readonly WindowWidth A = new(new("a.*"), 10, WindowWidth.Beginning), B = new(new("b"), 20, 0);

    [Fact]
    public async Task Entries_are_kept_in_their_order_and_added_once()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        var quantiles = B with { HasQuantiles = true };
        Assert.Equal(2, await Add(database, quantiles, A));
        Assert.Equal(0, await Add(database, quantiles, A));
        Assert.Equal([quantiles, A], await database.Store.ReadWidthsAsync(default));
        Assert.Equal(
            "2|2|tester",
            await database.Row(
                "SELECT count(*), count(*) FILTER (WHERE added_at > now() - interval '1 minute'), min(added_by) "
                + "FROM telemetry.window_width"));
    }

    [Fact]
    public async Task Of_processes_that_start_at_once_one_adds_the_entries()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Add(database, A, B)));

        Assert.Equal(2, added.Sum());
        Assert.Equal([A, B], await database.Store.ReadWidthsAsync(default));
    }

    [Fact]
    public async Task Changed_and_removed_entries_are_refused_and_nothing_is_added()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Add(database, A, B);

        Assert.Contains(
            "entry 2: was changed: the database has b 20 s",
            await Refused(database, A, B with { WidthSeconds = 30 }, A), StringComparison.Ordinal);
        Assert.Contains(
            "the file has a.* 10 s with quantiles from the beginning",
            await Refused(database, A with { HasQuantiles = true }, B), StringComparison.Ordinal);
        Assert.Contains(
            "entry 2: was removed: the database has b 20 s", await Refused(database, A), StringComparison.Ordinal);
        Assert.Equal([A, B], await database.Store.ReadWidthsAsync(default));
    }

    [Fact]
    public async Task Once_windows_are_stored_a_new_entry_must_be_an_hour_ahead()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Add(database, B);
        await StorePart(database, "b", 0);
        var now = await Now(database);

        Assert.Contains("validFrom: is missing; use ", await Refused(database, B, A), StringComparison.Ordinal);
        Assert.Contains(
            "is too early; use ", await Refused(database, B, A with { ValidFrom = Round(now + Hour) - FiveMinutes }),
            StringComparison.Ordinal);
        Assert.Equal(1, await Add(database, B, A with { ValidFrom = Round(now + Hour) + FiveMinutes }));
    }

    [Fact]
    public async Task New_entry_must_be_an_hour_after_the_newest_window_of_its_metrics_unless_that_is_days_ahead()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var now = await Now(database);
        var start = Round(now + (3 * Hour));
        var row = await StorePart(database, "a.x", start);
        await StorePart(database, "c", start + (48 * Hour), row);
        var early = start + Hour;

        Assert.Contains(
            $"gateway gw-1 has windows of these metrics until {WindowWidth.Show(start + 60_000_000)}",
            await Refused(database, A with { ValidFrom = early }), StringComparison.Ordinal);
        Assert.Equal(1, await Add(database, B with { ValidFrom = early }));
        Assert.Equal(
            2,
            await Add(
                database, B with { ValidFrom = early }, A with { ValidFrom = early + FiveMinutes },
                new WindowWidth(new("c"), 5, early)));
    }

    [Fact]
    public async Task While_an_owner_may_fold_a_new_entry_must_be_an_hour_ahead()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var row = await Take(database.Store);

        Assert.Contains("validFrom: is missing; use ", await Refused(database, A), StringComparison.Ordinal);
        Assert.Contains("owner stores readings now", await Refused(database, A), StringComparison.Ordinal);

        await database.Store.ReleaseLeaseAsync(0, row.Token, default);
        Assert.Equal(1, await Add(database, A));
    }

    // It was frozen since its lease ran out. What it folded meanwhile has other widths.
    [Fact]
    public async Task Owner_whose_lease_has_run_out_cannot_commit_after_entries_were_added()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var row = await Take(database.Store);
        await database.PassTime(Lease);
        await Add(database, A);

        var commit = new StoreCommit();
        commit.Partitions.Add(Step(row));

        Assert.Equal(CommitOutcome.NotOwner, await database.Store.CommitAsync(commit, default));
    }

    [Fact]
    public async Task Windows_in_the_memory_of_an_owner_that_is_gone_count_as_stored()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await Commit(database.Store, await Take(database.Store), c => c.Gateways.Add(
            GatewayRow.New(Gateway, 0) with { OpenWindows = new OpenSpan(0, 60_000_000) }));
        await database.PassTime(Lease);

        Assert.Contains("the database has windows", await Refused(database, A), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_and_processor_give_each_reading_the_same_width()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var random = new Random(17);
        string[] parts = ["a", "b", "A", "%", "_", "\\", ".", "é", "😀", " "];
        string Text(int length, bool isPattern) => string.Concat(Enumerable.Range(0, length).Select(
            _ => isPattern && random.Next(3) == 0 ? "*" : parts[random.Next(parts.Length)]));
        var metrics = Enumerable.Range(0, 60).Select(_ => Text(random.Next(1, 6), isPattern: false))
            .Append("*").Distinct().ToArray();
        WindowWidth[] entries =
        [
            .. Enumerable.Range(0, 60).Select(_ => new WindowWidth(
                new NamePattern(Text(random.Next(1, 5), isPattern: true)),
                WindowWidths.Allowed[random.Next(WindowWidths.Allowed.Count)],
                random.Next(4) == 0 ? WindowWidth.Beginning : random.Next(-3, 4) * FiveMinutes)),
        ];
        await Commit(database.Store, await Take(database.Store, token: 1), c => c.Schemas.Add(
            Extend(SeriesList.Empty(Gateway), [.. metrics.Select(m => Series("pump", m))])));
        await database.PassTime(Lease);
        await Add(database, entries);

        var widths = new WindowWidths(entries);
        var found = await database.Read(
            $"""
            SELECT s.metric, t.micros, w.width
            FROM telemetry.series s
            CROSS JOIN (SELECT x * {FiveMinutes} - y AS micros FROM generate_series(-4, 4) x, generate_series(0, 1) y) t
            LEFT JOIN telemetry.series_width w ON w.series = s.id
                AND timestamptz '1970-01-01Z' + t.micros * interval '1 microsecond' >= w.valid_from
                AND timestamptz '1970-01-01Z' + t.micros * interval '1 microsecond' < w.valid_to
            """,
            r => (Metric: r.GetString(0), Time: r.GetInt64(1), Width: r.IsDBNull(2) ? 0 : r.GetInt32(2)));

        Assert.Equal(metrics.Length * 18, found.Count);
        Assert.All(found, f => Assert.Equal(
            (f.Metric, f.Time, widths.Of(f.Metric, f.Time).WidthSeconds), (f.Metric, f.Time, f.Width)));
        Assert.True(found.Select(f => f.Width).Distinct().Count() > 8, "few entries fit");
    }

    [Fact]
    public async Task Rates_are_of_the_windows_of_the_last_day()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var now = Round(await Now(database)) - (2 * FiveMinutes);
        var row = await StorePart(database, "b", now, null, readings: 30);
        row = await StorePart(database, "b", now, row, readings: 30);
        row = await StorePart(database, "b", now - FiveMinutes, row, readings: 60);
        row = await StorePart(database, "a.x", now, row, readings: 1);
        await StorePart(database, "c", now - (25 * Hour), row, readings: 9);

        await using var operators = await OperatorDatabase.OpenAsync(database.ConnectionString, default);
        Assert.Equal(
            ["a.x 1 1 60 0.16666666666666666", "b 1 120 120 10"],
            (await operators.Widths.RatesAsync(default)).Select(r => string.Create(
                CultureInfo.InvariantCulture, $"{r.Metric} {r.Series} {r.Readings} {r.Seconds} {r.InWindow(10)}")));
    }

    private static async Task<PartitionRow> StorePart(
        PostgresDatabase database, string metric, long start, PartitionRow? row = null, int readings = 1)
    {
        row ??= await Take(database.Store);
        return await Commit(database.Store, row, c =>
        {
            var part = new WindowPart().Begin(c.Register(Series("pump", metric)), new WindowSpan(start, 60));
            for (var i = 0; i < readings; i++)
            {
                part.Add(start + i, 0, BitConverter.DoubleToUInt64Bits(1), 1);
            }

            c.Parts.Add(part);
        });
    }

    private static async Task<long> Now(PostgresDatabase database) =>
        Assert.Single(await database.Read(
            "SELECT (extract(epoch FROM now()) * 1000000)::bigint", r => r.GetInt64(0)));

    private static long Round(long micros) => (micros + FiveMinutes - 1) / FiveMinutes * FiveMinutes;

    private static Task<int> Add(PostgresDatabase database, params WindowWidth[] entries) =>
        database.Postgres.AddWidthsAsync(new ConfiguredWidths("windows.json", entries), "tester", default);

    /// <summary>Why a file is refused; the comparison of <c>check</c> says the same.</summary>
    private static async Task<string> Refused(PostgresDatabase database, params WindowWidth[] entries)
    {
        var refused = await Assert.ThrowsAsync<WindowWidthException>(() => Add(database, entries));
        await using var operators = await OperatorDatabase.OpenAsync(database.ConnectionString, default);
        var same = await Assert.ThrowsAsync<WindowWidthException>(() =>
            operators.Widths.CompareAsync(new ConfiguredWidths("windows.json", entries), default));
        Assert.Equal(
            refused.Message.Split(", and its clock")[0].Split(", and the database's clock")[0],
            same.Message.Split(", and its clock")[0].Split(", and the database's clock")[0]);
        return refused.Message;
    }
}
