using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Messages;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>Numbers of series as PostgreSQL gives them.</summary>
public sealed class SeriesNumberTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Gateway_that_forges_the_hash_of_anothers_series_is_stored_beside_it()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var (victim, hostile) = (GatewayId.Parse("victim"), GatewayId.Parse("hostile"));
        var series = new SeriesDefinition { Device = "boiler", Metric = "temperature" };
        var forged = ForgedSeries.Of(hostile, ForgedSeries.KeyOf(victim, series));
        Assert.Equal(ForgedSeries.KeyOf(victim, series), ForgedSeries.KeyOf(hostile, forged));

        var row = await Commit(
            database.Store, await Take(database.Store), c => Store(c, hostile, forged, 666));
        await Commit(database.Store, row, c => Store(c, victim, series, 21.5));

        Assert.Equal(
            ["hostile 666", "victim 21.5"],
            await database.Read(
                "SELECT gateway || ' ' || number FROM telemetry.reading_plain ORDER BY 1", r => r.GetString(0)));
    }

    [Fact]
    public async Task Owners_register_at_once_and_only_new_series_take_numbers()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var gateways = Enumerable.Range(0, 4).Select(p => GatewayId.Parse($"gw-{p}")).ToArray();
        var rows = await Task.WhenAll(gateways.Select((_, p) => Take(database.Store, p)));
        for (var n = 0; n < 10; n++)
        {
            rows = await Task.WhenAll(rows.Select((row, p) => Commit(database.Store, row, c =>
            {
                for (var s = 0; s < 20; s++)
                {
                    Store(c, gateways[p], Series($"pump {((n * 10) + s) % 3}", $"m{(n * 10) + s}"), 1);
                }
            })));
        }

        Assert.Equal(
            "440|440|440|12|12",
            await database.Row("""
                SELECT count(*), count(DISTINCT id), (SELECT last_value FROM telemetry.series_id_seq),
                    (SELECT count(*) FROM telemetry.device), (SELECT last_value FROM telemetry.device_id_seq)
                FROM telemetry.series
                """));
        Assert.Equal("800|440", await database.Row("SELECT count(*), count(DISTINCT series) FROM telemetry.reading"));
        Assert.Equal(440, await database.Postgres.GreatestNumberAsync(default));
    }

    [Fact]
    public async Task Series_that_a_frozen_process_left_half_registered_hold_up_the_next_owner_for_some_seconds()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var row = await Take(database.Store);
        var commit = new StoreCommit { Partitions = { Step(row) } };
        var series = commit.Register(MetricType.Float);
        await using var frozen = await database.OpenConnection();
        await using var transaction = await BesideTransaction.BeginAsync(frozen, default);
        await SeriesStatements.RegisterAsync(
            frozen, [(new SeriesEntry(series.Gateway, series.Definition), true)], default);

        var outcome = await database.Store.CommitAsync(commit, default).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(CommitOutcome.Committed, outcome);
    }

    private static void Store(StoreCommit commit, GatewayId gateway, SeriesDefinition series, double value)
    {
        var schema = Extend(SeriesList.Empty(gateway), series);
        commit.Schemas.Add(schema);
        commit.Readings.Add(
            schema.List.Entries[0], 1_000_000, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(value));
    }
}
