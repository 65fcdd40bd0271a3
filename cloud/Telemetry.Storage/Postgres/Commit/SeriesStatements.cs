using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>
/// Registers series: each gets a number from a sequence, and so does its device, in the transaction that stores their
/// first readings. The registering transaction holds the row of the gateway's partition, and a series' identity
/// contains its gateway's name. So nobody registers the same series at the same moment, no insert waits for another
/// owner's, and only new series take a number. (ON CONFLICT would take one each time.)
/// </summary>
internal static class SeriesStatements
{
    private const string Values = """
        unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            u(identity, device_identity, gateway, device, metric, labels, type, unit, decimals, extra_lateness_micros,
              n, is_new)
        """;

    private const string DevicesSql = $"""
        INSERT INTO telemetry.device (identity, gateway, device)
        SELECT DISTINCT ON (u.device_identity) u.device_identity, u.gateway, u.device FROM {Values}
        WHERE NOT EXISTS (SELECT FROM telemetry.device d WHERE d.identity = u.device_identity)
        """;

    private const string SeriesSql = $"""
        INSERT INTO telemetry.series (
            identity, device_id, gateway, device, metric, labels, type, unit, decimals, extra_lateness_micros)
        SELECT u.identity, d.id, u.gateway, u.device, u.metric, u.labels, u.type, u.unit, u.decimals,
            u.extra_lateness_micros
        FROM {Values} JOIN telemetry.device d ON d.identity = u.device_identity
        WHERE NOT EXISTS (SELECT FROM telemetry.series s WHERE s.identity = u.identity)
        ORDER BY u.n
        """;

    // Unit, decimals and extra lateness are those of the message registered last.
    private const string DescribeSql = $"""
        UPDATE telemetry.series s
        SET unit = u.unit, decimals = u.decimals, extra_lateness_micros = u.extra_lateness_micros
        FROM {Values}
        WHERE s.identity = u.identity AND u.is_new AND (s.unit, s.decimals, s.extra_lateness_micros)
            IS DISTINCT FROM (u.unit, u.decimals, u.extra_lateness_micros)
        """;

    private const string NumbersSql = "SELECT identity, id, device_id FROM telemetry.series WHERE identity = ANY($1)";

    /// <summary>
    /// Registers the series that are not registered, in the given order, and gives all of them their numbers.
    /// <c>Describes</c>: its description replaces that of an existing series. Of two series with one identity the last
    /// one counts.
    /// </summary>
    public static async Task RegisterAsync(
        NpgsqlConnection connection, IReadOnlyList<(SeriesEntry Series, bool Describes)> series,
        CancellationToken cancellationToken)
    {
        if (series.Count == 0)
        {
            return;
        }

        var last = new Dictionary<SeriesIdentity, (SeriesEntry Series, bool Describes)>();
        foreach (var each in series)
        {
            last[each.Series.Identity] = each;
        }

        await using var batch = new NpgsqlBatch(connection);
        var columns = Columns([.. last.Values]);
        foreach (var sql in (string[])[DevicesSql, SeriesSql, DescribeSql])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddRange(columns.Select(c => c.Clone()).ToArray());
            batch.BatchCommands.Add(command);
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(NumbersSql) { Parameters = { columns[0].Clone() } });
        var numbers = new Dictionary<SeriesIdentity, SeriesNumbers>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            do
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    numbers.Add(
                        ColumnValues.Identity(reader.GetFieldValue<byte[]>(0)),
                        new SeriesNumbers(reader.GetInt32(1), reader.GetInt32(2)));
                }
            }
            while (await reader.NextResultAsync(cancellationToken));
        }

        foreach (var (entry, _) in series)
        {
            (entry.Number, entry.DeviceNumber) = (numbers[entry.Identity].Series, numbers[entry.Identity].Device);
        }
    }

    /// <summary>
    /// Finds the series that the tables refuse because of their data. Each is tried alone and rolled back at once,
    /// because another owner's commit would wait for an identity that is not rolled back.
    /// </summary>
    public static async Task<IReadOnlyList<RefusedSeries>> FindRefusedAsync(
        NpgsqlConnection connection, IReadOnlyList<SeriesEntry> series, CancellationToken cancellationToken)
    {
        var refused = new List<RefusedSeries>();
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        for (var i = 0; i < series.Count; i++)
        {
            await transaction.SaveAsync("one", cancellationToken);
            try
            {
                var alone = new SeriesEntry(series[i].Gateway, series[i].Definition);
                await RegisterAsync(connection, [(alone, true)], cancellationToken);
            }
            catch (PostgresException e) when (StoreErrors.IsDataFault(e))
            {
                refused.Add(new RefusedSeries(i, $"{e.SqlState} {e.MessageText}"));
            }

            await transaction.RollbackAsync("one", cancellationToken);
        }

        return refused;
    }

    private static NpgsqlParameter[] Columns(IReadOnlyList<(SeriesEntry Series, bool Describes)> series)
    {
        return
        [
            Column(NpgsqlDbType.Bytea, (s, _) => ColumnValues.Bytes(s.Identity)),
            Column(
                NpgsqlDbType.Bytea,
                (s, _) => ColumnValues.Bytes(SeriesIdentity.OfDevice(s.Gateway, s.Definition.Device))),
            Column(NpgsqlDbType.Text, (s, _) => s.Gateway.Value),
            Column(NpgsqlDbType.Text, (s, _) => ColumnValues.Text(s.Definition.Device)),
            Column(NpgsqlDbType.Text, (s, _) => ColumnValues.Text(s.Definition.Metric)),
            Column(NpgsqlDbType.Jsonb, (s, _) => Labels(s.Definition)),
            Column(NpgsqlDbType.Smallint, (s, _) => (short)s.Type),
            Column(NpgsqlDbType.Text, (s, _) => ColumnValues.Text(s.Definition.Unit)),
            Column(
                NpgsqlDbType.Smallint,
                (s, _) => s.Decimals == SeriesDefinition.DecimalsUnknown ? (short?)null : s.Decimals),
            Column(NpgsqlDbType.Bigint, (s, _) => s.Definition.ExtraLatenessMicros),
            Column(NpgsqlDbType.Integer, (_, i) => i),
            Column(NpgsqlDbType.Boolean, (_, i) => series[i].Describes),
        ];

        NpgsqlParameter Column<T>(NpgsqlDbType type, Func<SeriesEntry, int, T> value) => new()
        {
            Value = series.Select((s, i) => value(s.Series, i)).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | type,
        };
    }

    private static string Labels(SeriesDefinition series) => JsonSerializer.Serialize(
        series.Labels.DistinctBy(l => ColumnValues.Text(l.Key))
            .ToDictionary(l => ColumnValues.Text(l.Key), l => ColumnValues.Text(l.Value)));
}
