using System.Text;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>The views for people and dashboards, and the series behind them.</summary>
public sealed class ViewTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly SeriesDefinition[] OfEachType =
    [
        .. Enum.GetValues<MetricType>().Select(type => Series("pump", type.ToString()) with { Type = type }),
    ];

    // A gateway may say anything of itself; the others' books must stand.
    [Fact]
    public async Task Books_of_all_stand_whatever_one_gateway_says_of_itself()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute($"""
            INSERT INTO telemetry.outbox VALUES ('liar', 1, {long.MaxValue}), ('liar', 2, 1), ('good', 3, 7);
            INSERT INTO telemetry.gateway VALUES ('liar', 0, 1, 0, 0, {long.MaxValue}, NULL, '', now()),
                ('good', 0, 5, 0, 0, 0, NULL, '', now())
            """);

        Assert.Equal(
            "7|5|2",
            await database.Row("SELECT accepted, stored, on_the_way FROM telemetry.books WHERE gateway = 'good'"));
        Assert.Equal(
            $"{long.MaxValue}|0",
            await database.Row("SELECT accepted, on_the_way FROM telemetry.books WHERE gateway = 'liar'"));
    }

    [Fact]
    public async Task Readings_show_their_names_and_plain_values()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var schema = Extend(SeriesList.Empty(Gateway), OfEachType);
        var list = schema.List;

        await Commit(database.Store, await Take(database.Store), c =>
        {
            c.Schemas.Add(schema);
            void Add(int i, ulong bits, ReadingFlags flags = 0) =>
                c.Readings.Add(list.Entries[i], 1_000_001, flags, bits);
            Add(0, BitConverter.DoubleToUInt64Bits(21.37), (ReadingFlags)(byte)Quality.Uncertain);
            Add(0, BitConverter.DoubleToUInt64Bits(0.1 + 0.2), ReadingFlags.TimeEstimated);
            Add(0, 0, ReadingFlags.Null | (ReadingFlags)(byte)Quality.Bad);
            Add(1, unchecked((ulong)long.MinValue));
            Add(2, ulong.MaxValue);
            Add(3, 1);
            c.Readings.AddText(list.Entries[4], 1_000_001, 0, Encoding.UTF8.GetBytes("läuft"));
        });

        Assert.Equal(
            [
                "gw-1 pump Bool L1 1|||true| Cel good f",
                "gw-1 pump Float L1 1|0.30000000000000004||| Cel good t",
                "gw-1 pump Float L1 1|21.37||| Cel uncertain f",
                "gw-1 pump Float L1 1|||| Cel bad f",
                "gw-1 pump Int L1 1|-9.223372036854776e+18|-9223372036854775808|| Cel good f",
                "gw-1 pump Text L1 1||||läuft Cel good f",
                "gw-1 pump UInt L1 1|1.8446744073709552e+19|18446744073709551615|| Cel good f",
            ],
            (await database.Read(
                """
                SELECT concat(gateway, ' ', device, ' ', metric, ' ', labels ->> 'phase', ' ',
                    extract(second from time)::int, '|', number, '|', integer, '|', truth::text, '|', text, ' ', unit,
                    ' ', quality, ' ', time_estimated)
                FROM telemetry.reading_plain
                """,
                r => r.GetString(0))).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Books_balance_and_never_go_below_nothing_on_the_way()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        await Commit(database.Store, await Take(database.Store), c =>
        {
            c.Outboxes.AddRange([new(Gateway, 1, 70), new(Gateway, 2, 30), new(Other, 1, 5)]);
            c.Gateways.Add(new GatewayRow(Gateway, 3, 50, 4, 3, 2, 1_700_000_000_000_000, "lineage"));
        });

        const string Sql =
            "SELECT accepted, stored, rejected, dropped, lost, on_the_way, extract(epoch from watermark)::bigint, fork "
            + "FROM telemetry.books WHERE gateway = ";
        Assert.Equal("100|50|4|3|2|41|1700000000|lineage", await database.Row($"{Sql}'gw-1'"));
        Assert.Equal("5|0|0|0|0|5||", await database.Row($"{Sql}'gw-2'"));
        await database.Execute("UPDATE telemetry.gateway SET stored = 1000");
        Assert.Equal("0", await database.Row("SELECT on_the_way FROM telemetry.books WHERE gateway = 'gw-1'"));
    }

    [Fact]
    public async Task Series_keep_the_description_that_was_registered_last()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var first = Extend(SeriesList.Empty(Gateway), Series("pump", "temperature"));
        var second = Extend(
            first.List, Series("pump", "temperature") with { Unit = "K", Decimals = 1, ExtraLatenessMicros = 9 });
        var row = await Commit(database.Store, await Take(database.Store), c => c.Schemas.AddRange([first, second]));

        await Commit(database.Store, row, c => c.Schemas.Add(first));

        Assert.Equal("K|1|9", await database.Row("SELECT unit, decimals, extra_lateness_micros FROM telemetry.series"));
    }

    [Fact]
    public async Task Names_with_NUL_are_registered_and_shown_with_a_substitute()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var odd = new SeriesDefinition { Device = "p\0", Metric = "\0", Labels = [new("k\0", "v\0")], Unit = "\0" };
        var schema = Extend(SeriesList.Empty(Gateway), odd);

        await Commit(database.Store, await Take(database.Store), c => c.Schemas.Add(schema));

        Assert.Equal(
            "p\uFFFD|\uFFFD|v\uFFFD|\uFFFD",
            await database.Row("SELECT device, metric, labels ->> U&'k\\FFFD', unit FROM telemetry.series"));
    }
}
