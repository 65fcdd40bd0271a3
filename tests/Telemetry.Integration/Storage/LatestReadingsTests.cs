using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.Storage;

/// <summary>The function telemetry.latest_readings.</summary>
public sealed class LatestReadingsTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const long Noon = 1_760_000_000_000_000, Week = 7L * 86_400_000_000;

    [Fact]
    public async Task Newest_reading_of_each_series_is_found_wherever_it_lies()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        var store = await database.OpenStore(
            new PostgresStoreOptions { ConnectionString = database.ConnectionString, ArrivedReadings = 1 });
        SeriesEntry? moved = null, arrived = null, late = null;
        var row = await Commit(store, await Take(store), c =>
        {
            (moved, arrived, late) = (c.Register(MetricType.Int), c.Register(MetricType.Float, 2),
                c.Register(MetricType.Text));
            c.Readings.Add(moved, Noon - Week, ReadingFlags.None, 1);
            c.Readings.Add(moved, Noon, ReadingFlags.None, 2);
            c.Readings.Add(arrived, Noon, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(1.25));
            c.Readings.AddText(late, Noon, ReadingFlags.None, "newest"u8);
        });
        await store.IndexReadingsAsync(default);
        await Commit(store, row, c =>
        {
            c.Readings.Add(arrived!, Noon + 1, ReadingFlags.None, BitConverter.DoubleToUInt64Bits(-0.5));
            c.Readings.AddText(late!, Noon - Week, ReadingFlags.None, "late"u8);
        });

        Assert.Equal(
            ["float -0.5", "int 2", "text newest"],
            await database.Read(
                "SELECT lower(split_part(metric, ' ', 1)) || ' ' || coalesce(\"integer\"::text, number::text, text) "
                + $"FROM telemetry.latest_readings('{Gateway}') ORDER BY 1",
                r => r.GetString(0)));
        Assert.Equal("0", await database.Row("SELECT count(*) FROM telemetry.latest_readings('gw-2')"));
    }
}
