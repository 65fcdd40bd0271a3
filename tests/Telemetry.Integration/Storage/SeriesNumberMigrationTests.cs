using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Messages;

namespace Telemetry.Integration.Storage;

/// <summary>
/// A filled database of version 6, where series are 64-bit hashes, becomes one of version 7. So many readings as
/// TELEMETRY_MIGRATION_READINGS says; a few thousand unless it says otherwise.
/// </summary>
public sealed class SeriesNumberMigrationTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const int Gateways = 10, SeriesOfEach = 25;

    // What a reading is to people, and what it is bit for bit. Of the old table first.
    private const string OldContent = """
        SELECT count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws('|', s.gateway, s.device, s.metric, s.labels,
            r.time, r.i, float8send(r.f), r.flags, r.t), 0)), 0)
        FROM telemetry.reading r JOIN telemetry.series s ON s.series_key = r.series_key AND s.device_key = r.device_key
        """;

    private const string NewContent = """
        SELECT count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws('|', s.gateway, s.device, s.metric, s.labels,
            r.time, r.i, float8send(r.f), r.flags, r.t), 0)), 0)
        FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series
        """;

    private static readonly int Readings = int.Parse(
        Environment.GetEnvironmentVariable("TELEMETRY_MIGRATION_READINGS") ?? "20000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Every_reading_keeps_its_series_and_value_and_every_gateway_its_hash_sum()
    {
        await using var database = await Filled();
        var before = await database.Row(OldContent);
        Assert.StartsWith($"{Readings} ", before, StringComparison.Ordinal);

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(NewContent));
        Assert.Equal(
            $"{Gateways * SeriesOfEach}|{Gateways * 5}",
            await database.Row(
                "SELECT (SELECT count(*) FROM telemetry.series), (SELECT count(*) FROM telemetry.device)"));
        Assert.All(
            await database.Read(
                "SELECT gateway, device, metric, labels ->> 'room', type, identity FROM telemetry.series",
                r => (Of: (r.GetString(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt16(4)),
                    Identity: r.GetFieldValue<byte[]>(5))),
            s => Assert.Equal(
                ColumnValues.Bytes(SeriesIdentity.Of(GatewayId.Parse(s.Of.Item1), Series(s.Of))), s.Identity));
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
        var before = await database.Row(OldContent);
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
        Assert.Equal(before, await database.Row(OldContent));

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(NewContent));
    }

    private async Task<PostgresDatabase> Filled()
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await using var connection = await database.OpenConnection();
        await MigrationRunner.RunAsync(
            connection, await DatabaseEdition.DetectAsync(connection, default), true, default, 6);
        await database.Execute("""
            CREATE TABLE telemetry.reading_20231109 PARTITION OF telemetry.reading
            FOR VALUES FROM ('2023-11-09Z') TO ('2023-11-16Z')
            """);
        foreach (var series in All())
        {
            await Add(connection, series);
        }

        await Execute(connection, $"""
            INSERT INTO telemetry.reading (device_key, series_key, time, i, f, flags, t)
            SELECT s.device_key, s.series_key, timestamptz '2023-11-14Z' + n * interval '7 s',
                CASE WHEN n % 97 = 0 THEN NULL WHEN s.type = 3 THEN n % 2 WHEN s.type IN (1, 2) THEN n * -7
                    WHEN s.type = 0 AND n % 2 = 0 THEN n * 3 END,
                CASE WHEN n % 97 <> 0 AND s.type = 0 AND n % 2 = 1 THEN n / 3.0 END,
                CASE WHEN n % 97 = 0 THEN 4 WHEN s.type = 0 AND n % 2 = 0 THEN 3 << 8 ELSE n % 3 END,
                CASE WHEN n % 97 <> 0 AND s.type = 4 THEN 'text ü ' || n END
            FROM generate_series(1, {Readings}) n
            JOIN (SELECT *, row_number() OVER (ORDER BY series_key) AS place FROM telemetry.series) s
              ON s.place = 1 + n % {Gateways * SeriesOfEach};
            INSERT INTO telemetry.dead_letter (gateway, epoch, lane, first, count, reason, error, readings, series_key,
                time_micros, bytes, stored_at)
            SELECT gateway, 1, 1, 1, 1, 2, '', 1, series_key, 5, '', now() FROM telemetry.series
            WHERE gateway = 'gw-0' AND metric = 'metric 3';
            INSERT INTO telemetry.alert_state (gateway, rule, rule_version, series_key, state, instance, started_micros,
                time_micros)
            SELECT gateway, 'hot', 1, series_key, 2, '\x01', 1, 2 FROM telemetry.series
            WHERE gateway = 'gw-0' AND metric = 'metric 3'
            """);
        foreach (var (gateway, sum) in await OldSums(database))
        {
            var differing = sum + (gateway == "gw-0" ? 1UL : 0);
            await Execute(connection, $"""
                INSERT INTO telemetry.frame_register VALUES ('{gateway}', 1, 1, 1, 1, 1, 0, 0, now(), now(), 1,
                    {(long)(differing - 5)}, now());
                INSERT INTO telemetry.frame_register_day VALUES ('{gateway}', '2023-11-14', 1, 1, 0, 0, 5)
                """);
        }

        return database;
    }

    private static IEnumerable<(GatewayId Gateway, SeriesDefinition Series)> All() =>
        from gateway in Enumerable.Range(0, Gateways)
        from series in Enumerable.Range(0, SeriesOfEach)
        select (GatewayId.Parse($"gw-{gateway}"), Series((
            "", series % 5 == 4 ? new string('d', 200) : $"device {series % 5}", $"metric {series}", "Küche",
            (short)(series / 5))));

    private static SeriesDefinition Series(
        (string Gateway, string Device, string Metric, string Room, short Type) of) => new()
        {
            Device = of.Device,
            Metric = of.Metric,
            Labels = [new("room", of.Room)],
            Type = (MetricType)of.Type,
            Unit = "Cel",
            Decimals = 2,
            ExtraLatenessMicros = 9,
        };

    // As version 6 did it.
    private static async Task Add(NpgsqlConnection connection, (GatewayId Gateway, SeriesDefinition Series) of)
    {
        var identity = new WireWriter();
        var plain = of.Series with { Unit = "", Decimals = SeriesDefinition.DecimalsUnknown, ExtraLatenessMicros = 0 };
        plain.Write(identity);
        var device = new WireWriter();
        device.Text(of.Gateway.Value);
        device.Text(of.Series.Device);
        await using var command = new NpgsqlCommand(
            "INSERT INTO telemetry.series VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, 'Cel', 2, 9)", connection);
        foreach (var value in (object[])
            [
                (long)ForgedSeries.KeyOf(of.Gateway, of.Series), (long)XxHash64.HashToUInt64(device.Written),
                of.Gateway.Value, identity.ToArray(), of.Series.Device, of.Series.Metric, """{"room": "Küche"}""",
                (short)of.Series.Type,
            ])
        {
            command.Parameters.AddWithValue(value);
        }

        await command.ExecuteNonQueryAsync();
    }

    private static async Task<Dictionary<string, ulong>> OldSums(PostgresDatabase database)
    {
        var sums = new Dictionary<string, ulong>();
        foreach (var (gateway, hash) in await database.Read(
            """
            SELECT s.gateway, r.series_key, r.time, s.type, r.i, r.f, r.flags, r.t
            FROM telemetry.reading r JOIN telemetry.series s USING (series_key)
            """,
            r => (r.GetString(0), OldHash(r))))
        {
            sums[gateway] = sums.GetValueOrDefault(gateway) + hash;
        }

        return sums;
    }

    private static ulong OldHash(NpgsqlDataReader r)
    {
        var flags = r.GetInt16(6);
        var bytes = new byte[26];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, r.GetInt64(1));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), ColumnValues.Micros(r.GetDateTime(2)));
        BinaryPrimitives.WriteUInt64LittleEndian(
            bytes.AsSpan(16),
            !r.IsDBNull(5) ? BitConverter.DoubleToUInt64Bits(r.GetDouble(5))
            : !r.IsDBNull(7) ? XxHash64.HashToUInt64(System.Text.Encoding.UTF8.GetBytes(r.GetString(7)))
            : r.IsDBNull(4) ? 0
            : flags >> 8 > 0 ? BitConverter.DoubleToUInt64Bits(r.GetInt64(4) / 100.0)
            : (ulong)r.GetInt64(4));
        bytes[24] = (byte)r.GetInt16(3);
        bytes[25] = (byte)flags;
        return XxHash64.HashToUInt64(bytes);
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

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        await command.ExecuteNonQueryAsync();
    }
}
