using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>Reads the alert history, and the stored readings over which rules are run again.</summary>
internal sealed class AlertHistory(ReadPool database) : IAlertHistory
{
    private const string GapsSql = """
        SELECT g.gateway FROM telemetry.gateway g
        WHERE g.partition = $1
          AND EXISTS (SELECT FROM telemetry.alert_state s WHERE s.gateway = g.gateway AND s.gap_from IS NOT NULL)
        ORDER BY g.gateway
        """;

    // The second condition has an index of its own.
    private const string LoadSql = """
        SELECT id, rule, series_identity, rule_version, severity, state, began_micros, fired_micros, ended_micros, peak,
            late, delay_micros, revision, said, named_micros
        FROM telemetry.alert
        WHERE gateway = $1 AND (greatest(coalesce(ended_micros, fired_micros), named_micros) >= $2 OR state = 0)
        """;

    private const string RetiredSql =
        "SELECT metric, begun FROM telemetry.retirement WHERE gateway = $1 AND width = 0 AND isfinite(begun)";

    private const string ReadingsSql = """
        SELECT series, time, i, f, flags, t FROM telemetry.reading
        WHERE series = ANY($1) AND time > $2 AND time <= $3
        ORDER BY time, series, f, i, flags LIMIT $4
        """;

    public Task<IReadOnlyList<GatewayId>> FindGapsAsync(int partition, CancellationToken cancellationToken) =>
        database.RunAsync(
            "find gaps of alert rules", c => FindGapsAsync(c, partition, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<AlertRow>> LoadAsync(
        GatewayId gateway, long sinceMicros, CancellationToken cancellationToken) => database.RunAsync(
            "load alerts", c => LoadAsync(c, gateway, sinceMicros, cancellationToken), cancellationToken);

    public Task<IReadOnlyDictionary<string, long>> FindRetiredAsync(
        GatewayId gateway, CancellationToken cancellationToken) => database.RunAsync(
            "find what retention removed", c => FindRetiredAsync(c, gateway, cancellationToken), cancellationToken);

    public Task ReadAsync(
        IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros, ReadingBuffer rows, int readingsMax,
        CancellationToken cancellationToken) => database.RunAsync(
            "read the readings of series",
            c => ReadAsync(c, series, afterMicros, throughMicros, rows, readingsMax, cancellationToken),
            cancellationToken);

    private static async Task<IReadOnlyList<GatewayId>> FindGapsAsync(
        NpgsqlConnection connection, int partition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(GapsSql, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = partition });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gateways = new List<GatewayId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            gateways.Add(GatewayId.Parse(reader.GetString(0)));
        }

        return gateways;
    }

    private static async Task<IReadOnlyList<AlertRow>> LoadAsync(
        NpgsqlConnection connection, GatewayId gateway, long sinceMicros, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LoadSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = gateway.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = sinceMicros });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<AlertRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(Row(reader, gateway));
        }

        return rows;
    }

    private static async Task<IReadOnlyDictionary<string, long>> FindRetiredAsync(
        NpgsqlConnection connection, GatewayId gateway, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(RetiredSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = gateway.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var retired = new Dictionary<string, long>();
        while (await reader.ReadAsync(cancellationToken))
        {
            retired[reader.GetString(0)] = ColumnValues.Micros(reader.GetDateTime(1));
        }

        return retired;
    }

    private static async Task<bool> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<SeriesEntry> series, long afterMicros, long throughMicros,
        ReadingBuffer rows, int readingsMax, CancellationToken cancellationToken)
    {
        var entries = series.DistinctBy(s => s.Number).ToDictionary(s => s.Number);
        await using var command = new NpgsqlCommand(ReadingsSql, connection);
        Add(entries.Keys.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);
        Add(ColumnValues.Time(Math.Max(afterMicros, WireReader.TimeMin)), NpgsqlDbType.TimestampTz);
        Add(ColumnValues.Time(throughMicros), NpgsqlDbType.TimestampTz);
        Add((long)readingsMax, NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            OpenReadings.AddRow(reader, entries[reader.GetInt32(0)], rows, at: 1);
        }

        return true;

        void Add(object value, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
    }

    private static AlertRow Row(NpgsqlDataReader reader, GatewayId gateway) => new(
        ColumnValues.Hash(reader.GetFieldValue<byte[]>(0)),
        new AlertStateId(gateway, reader.GetString(1), ColumnValues.Identity(reader.GetFieldValue<byte[]>(2))),
        (ulong)reader.GetInt64(3), reader.GetString(4), (AlertInstanceState)reader.GetInt16(5), reader.GetInt64(6),
        reader.GetInt64(7), reader.IsDBNull(8) ? null : reader.GetInt64(8), reader.GetDouble(9))
    {
        IsLate = reader.GetBoolean(10),
        DelayMicros = reader.GetInt64(11),
        Revision = reader.GetInt32(12),
        Said = (ulong)reader.GetInt64(13),
        NamedMicros = reader.GetInt64(14),
    };
}
