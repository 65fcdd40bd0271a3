using System.Buffers.Binary;
using System.IO.Hashing;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.TestKit.Messages;

namespace Telemetry.Integration.Storage;

/// <summary>A filled database of version 6, where series are 64-bit hashes.</summary>
internal static class SixthVersion
{
    /// <summary>The gateways, and the series of each.</summary>
    public const int Gateways = 10, SeriesOfEach = 25;

    /// <summary>
    /// What the readings are to people, and what they are bit for bit: of the tables of this version.
    /// </summary>
    public const string OldContent = """
        SELECT count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws('|', s.gateway, s.device, s.metric, s.labels,
            r.time, r.i, float8send(r.f), r.flags, r.t), 0)), 0)
        FROM telemetry.reading r JOIN telemetry.series s ON s.series_key = r.series_key AND s.device_key = r.device_key
        """;

    /// <summary>The same of the tables as they are now.</summary>
    public const string NewContent = """
        SELECT count(*) || ' ' || coalesce(sum(hashtextextended(concat_ws('|', s.gateway, s.device, s.metric, s.labels,
            r.time, r.i, float8send(r.f), r.flags, r.t), 0)), 0)
        FROM telemetry.reading r JOIN telemetry.series s ON s.id = r.series
        """;

    /// <summary>Makes the tables.</summary>
    public static async Task MakeAsync(PostgresDatabase database)
    {
        await using var connection = await database.OpenConnection();
        await MigrationRunner.RunAsync(
            connection, await DatabaseEdition.DetectAsync(connection, default), true, default, 6);
    }

    /// <summary>Fills them. The hash sums of the gateway gw-0 differ by one from its readings.</summary>
    public static async Task FillAsync(PostgresDatabase database, int readings)
    {
        await using var connection = await database.OpenConnection();
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
            FROM generate_series(1, {readings}) n
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
    }

    public static IEnumerable<(GatewayId Gateway, SeriesDefinition Series)> All() =>
        from gateway in Enumerable.Range(0, Gateways)
        from series in Enumerable.Range(0, SeriesOfEach)
        select (GatewayId.Parse($"gw-{gateway}"), Series((
            "", series % 5 == 4 ? new string('d', 200) : $"device {series % 5}", $"metric {series}", "Küche",
            (short)(series / 5))));

    public static SeriesDefinition Series(
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

    private static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        await command.ExecuteNonQueryAsync();
    }
}
