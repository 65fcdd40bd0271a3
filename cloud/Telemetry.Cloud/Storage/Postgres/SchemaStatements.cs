using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Cloud.Storage.Postgres;

/// <summary>
/// Registers schema messages and their series. A message that is known already changes nothing; unit, decimals and
/// extra lateness of a series are those of the message registered last. Two series under one key are refused.
/// </summary>
internal static class SchemaStatements
{
    private const string RegisterSql = """
        WITH added AS (
            INSERT INTO telemetry.schema_message (gateway, schema, parent, additions, registered_at)
            VALUES ($1, $2, $3, $4, now())
            ON CONFLICT (gateway, schema) DO NOTHING
            RETURNING gateway)
        INSERT INTO telemetry.series AS s (
            series_key, device_key, gateway, identity, device, metric, labels, type, unit, decimals,
            extra_lateness_micros)
        SELECT DISTINCT ON (u.series_key) u.series_key, u.device_key, a.gateway, u.identity, u.device, u.metric,
            u.labels, u.type, u.unit, u.decimals, u.extra_lateness_micros
        FROM added a CROSS JOIN unnest($5, $6, $7, $8, $9, $10, $11, $12, $13, $14) WITH ORDINALITY
            u(series_key, device_key, identity, device, metric, labels, type, unit, decimals, extra_lateness_micros, n)
        ORDER BY u.series_key, u.n DESC
        ON CONFLICT (series_key) DO UPDATE
        SET unit = excluded.unit, decimals = excluded.decimals, extra_lateness_micros = excluded.extra_lateness_micros
        WHERE s.gateway = excluded.gateway AND s.identity = excluded.identity
        """;

    private const string CollisionSql = """
        SELECT format('series key %s is that of %s/%s/%s %s already, and would be that of %s/%s/%s %s',
            to_hex(u.series_key), s.gateway, s.device, s.metric, s.labels, $1, u.device, u.metric, u.labels)
        FROM unnest($2, $3, $4, $5, $6) u(series_key, identity, device, metric, labels)
        JOIN telemetry.series s USING (series_key)
        WHERE s.gateway <> $1 OR s.identity <> u.identity
        """;

    /// <summary>
    /// Does it; throws <see cref="StoreException"/> (a data fault) naming both series of a collision.
    /// </summary>
    public static async Task ExecuteAsync(
        NpgsqlConnection connection, List<SchemaLedgerRow> schemas, CancellationToken cancellationToken)
    {
        if (schemas.Count == 0)
        {
            return;
        }

        await using var batch = new NpgsqlBatch(connection);
        foreach (var schema in schemas)
        {
            AddTo(batch, schema.Message, schema.List);
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            if (await reader.ReadAsync(cancellationToken))
            {
                throw new StoreException(reader.GetString(0), isDataFault: true, mayHaveCommitted: false);
            }
        }
        while (await reader.NextResultAsync(cancellationToken));
    }

    private static void AddTo(NpgsqlBatch batch, SchemaMessage message, SeriesList list)
    {
        var first = list.Count - message.Series().Count;
        var series = list.Definitions[first..].ToArray();
        var gateway = Parameter(list.Gateway.Value, NpgsqlDbType.Text);
        var keys = Columns(Bits(list.Keys[first..]), NpgsqlDbType.Bigint);
        var identities = Columns(Array.ConvertAll(series, Identity), NpgsqlDbType.Bytea);
        var devices = Columns(Array.ConvertAll(series, s => ColumnValues.Text(s.Device)), NpgsqlDbType.Text);
        var metrics = Columns(Array.ConvertAll(series, s => ColumnValues.Text(s.Metric)), NpgsqlDbType.Text);
        var labels = Columns(Array.ConvertAll(series, Labels), NpgsqlDbType.Jsonb);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(RegisterSql)
        {
            Parameters =
            {
                gateway,
                Parameter(ColumnValues.Bytes(message.Id), NpgsqlDbType.Bytea),
                Parameter(ColumnValues.Bytes(message.Parent), NpgsqlDbType.Bytea),
                Parameter(message.Additions.ToArray(), NpgsqlDbType.Bytea),
                keys,
                Columns(Bits(list.DeviceKeys[first..]), NpgsqlDbType.Bigint),
                identities,
                devices,
                metrics,
                labels,
                Columns(Array.ConvertAll(series, s => (short)s.Type), NpgsqlDbType.Smallint),
                Columns(Array.ConvertAll(series, s => ColumnValues.Text(s.Unit)), NpgsqlDbType.Text),
                Columns(Array.ConvertAll(series, Decimals), NpgsqlDbType.Smallint),
                Columns(Array.ConvertAll(series, s => s.ExtraLatenessMicros), NpgsqlDbType.Bigint),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(CollisionSql)
        {
            Parameters =
                { gateway.Clone(), keys.Clone(), identities.Clone(), devices.Clone(), metrics.Clone(), labels.Clone() },
        });
    }

    /// <summary>
    /// What the series' key hashes beside the gateway: the definition without what only describes it.
    /// </summary>
    private static byte[] Identity(SeriesDefinition series)
    {
        var writer = new WireWriter();
        (series with { Unit = "", Decimals = SeriesDefinition.DecimalsUnknown, ExtraLatenessMicros = 0 }).Write(writer);
        return writer.ToArray();
    }

    private static string Labels(SeriesDefinition series) => JsonSerializer.Serialize(
        series.Labels.DistinctBy(l => ColumnValues.Text(l.Key))
            .ToDictionary(l => ColumnValues.Text(l.Key), l => ColumnValues.Text(l.Value)));

    private static short? Decimals(SeriesDefinition series) =>
        series.Decimals == SeriesDefinition.DecimalsUnknown ? null : series.Decimals;

    private static long[] Bits(ReadOnlySpan<ulong> keys)
    {
        var bits = new long[keys.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = (long)keys[i];
        }

        return bits;
    }

    private static NpgsqlParameter Parameter(object value, NpgsqlDbType type) =>
        new() { Value = value, NpgsqlDbType = type };

    private static NpgsqlParameter Columns(object values, NpgsqlDbType type) =>
        new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}
