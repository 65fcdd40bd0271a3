using System.Globalization;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Checking;

namespace Telemetry.Integration.Storage;

/// <summary>
/// A filled database of version 6, where series are 64-bit hashes, becomes one of version 7. So many readings as
/// TELEMETRY_MIGRATION_READINGS says; a few thousand unless it says otherwise.
/// </summary>
public sealed class SeriesNumberMigrationTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private static readonly int Readings = int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_MIGRATION_READINGS") ?? "20000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Every_reading_keeps_its_series_and_value_and_every_gateway_its_hash_sum()
    {
        await using var database = await Filled();
        var before = await database.Row(SixthVersion.OldContent);
        Assert.StartsWith($"{Readings} ", before, StringComparison.Ordinal);

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(SixthVersion.NewContent));
        Assert.Equal(
            $"{SixthVersion.Gateways * SixthVersion.SeriesOfEach}|{SixthVersion.Gateways * 5}",
            await database.Row(
                "SELECT (SELECT count(*) FROM telemetry.series), (SELECT count(*) FROM telemetry.device)"));
        Assert.All(
            await database.Read(
                "SELECT gateway, device, metric, labels ->> 'room', type, identity FROM telemetry.series",
                r => (Of: (r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt16(4)),
                    Identity: r.GetFieldValue<byte[]>(5))),
            s => Assert.Equal(
                ColumnValues.Bytes(SeriesIdentity.Of(GatewayId.Parse(s.Of.Item1), SixthVersion.Series(s.Of))),
                s.Identity));
        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.dead_letter d JOIN telemetry.series s ON "
            + "s.identity = d.series_identity WHERE s.gateway = 'gw-0' AND s.metric = 'metric 3'"));
        Assert.Equal("1", await database.Row("SELECT count(*) FROM telemetry.alert_state a JOIN telemetry.series s ON "
            + "s.identity = a.series_identity WHERE s.gateway = 'gw-0' AND s.metric = 'metric 3'"));
        var (rows, register) = (await SumsOfRows(database), await SumsOfRegister(database));
        Assert.Equal(rows["gw-0"] + 1, register["gw-0"]); // It differed by one before.
        Assert.All(rows.Where(r => r.Key != "gw-0"), r => Assert.Equal(r.Value, register[r.Key]));
        Assert.Equal("0", await database.Row(
            "SELECT count(*) FROM pg_class WHERE relname LIKE '%before%' OR relname = 'reading_unnamed'"));
    }

    [Fact]
    public async Task Killed_at_its_end_it_has_done_nothing_and_the_next_start_does_it()
    {
        await using var database = await Filled();
        var before = await database.Row(SixthVersion.OldContent);
        await using (var other = await database.OpenConnection())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var locking = new NpgsqlCommand("SELECT FROM telemetry.frame_register FOR UPDATE", other);
            await locking.ExecuteNonQueryAsync();
            var migrating = database.OpenAnother();
            while (await database.Row(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "
                + "wait_event_type = 'Lock' AND query LIKE 'UPDATE telemetry.frame_register%'") == "0")
            {
                Assert.False(migrating.IsCompleted, "it ended before it was killed");
                await Task.Delay(10);
            }

            await Assert.ThrowsAsync<StoreException>(() => migrating);
        }

        Assert.Equal("6", await database.Row("SELECT max(version) FROM telemetry.telemetry_schema"));
        Assert.Equal(before, await database.Row(SixthVersion.OldContent));

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(SixthVersion.NewContent));
    }

    private async Task<PostgresDatabase> Filled()
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await SixthVersion.MakeAsync(database);
        await database.Execute("""
            CREATE TABLE telemetry.reading_20231109 PARTITION OF telemetry.reading
            FOR VALUES FROM ('2023-11-09Z') TO ('2023-11-16Z')
            """);
        await SixthVersion.FillAsync(database, Readings);
        return database;
    }

    private static async Task<Dictionary<string, ulong>> SumsOfRows(PostgresDatabase database)
    {
        var series = (await database.Read(
            "SELECT id, gateway, identity, type FROM telemetry.series",
            r => (r.GetInt32(0), (Gateway: r.GetString(1), SeriesIdentity.Read(r.GetFieldValue<byte[]>(2)),
                (MetricType)r.GetInt16(3))))).ToDictionary(s => s.Item1, s => s.Item2);
        var sums = new Dictionary<string, ulong>();
        await using var connection = await database.OpenConnection();
        await using var copy = await connection.BeginRawBinaryCopyAsync(StoredRows.Copy);
        await new StoredRows(copy).ReadAllAsync(
            (in StoredRow row) =>
            {
                var (gateway, identity, type) = series[row.Series];
                Assert.True(row.TryHash(identity, type, out var hash));
                sums[gateway] = sums.GetValueOrDefault(gateway) + hash;
            },
            default);
        return sums;
    }

    private static async Task<Dictionary<string, ulong>> SumsOfRegister(PostgresDatabase database)
    {
        var sums = new Dictionary<string, ulong>();
        foreach (var (gateway, sum) in await database.Read(
            """
            SELECT gateway, hash_sum FROM telemetry.frame_register
            UNION ALL SELECT gateway, hash_sum FROM telemetry.frame_register_day
            UNION ALL SELECT gateway, hash_sum FROM telemetry.hash_sum_carried
            """,
            r => (r.GetString(0), (ulong)r.GetInt64(1))))
        {
            sums[gateway] = sums.GetValueOrDefault(gateway) + sum;
        }

        return sums;
    }
}
