using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The table of alerts that are in Kafka but not in the outbox.</summary>
internal static class AlertOrphans
{
    private const string ListSql = """
        INSERT INTO telemetry.alert_orphan (id, partition, number, event, found_at)
        SELECT DISTINCT ON (u.id) u.*, now() FROM unnest($1, $2, $3, $4) u(id, partition, number, event)
        WHERE NOT EXISTS (SELECT FROM telemetry.alert_outbox o WHERE o.id = u.id)
        ON CONFLICT (id) DO NOTHING
        """;

    private const string ForgetSql =
        "DELETE FROM telemetry.alert_orphan a USING telemetry.alert_outbox o WHERE o.id = a.id";

    private const string CountSql = "SELECT count(*) FROM telemetry.alert_orphan WHERE id = ANY($1)";

    public static async Task<int> ListAsync(
        NpgsqlConnection connection, IReadOnlyCollection<PublishedAlert> records, CancellationToken cancellationToken)
    {
        var ids = records.Select(r => r.Id).ToArray();
        await using (var list = new NpgsqlCommand(ListSql, connection))
        {
            Add(list, NpgsqlDbType.Text, ids);
            Add(list, NpgsqlDbType.Integer, records.Select(r => r.Partition).ToArray());
            Add(list, NpgsqlDbType.Bigint, records.Select(r => r.Head.Number).ToArray());
            Add(list, NpgsqlDbType.Bytea, records.Select(r => r.Json.ToArray()).ToArray());
            await list.ExecuteNonQueryAsync(cancellationToken);
        }

        await ForgetAsync(connection, cancellationToken);
        await using var count = new NpgsqlCommand(CountSql, connection);
        Add(count, NpgsqlDbType.Text, ids);
        return (int)(long)(await count.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Removes the orphans that have a row again.</summary>
    public static async Task<int> ForgetAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var forget = new NpgsqlCommand(ForgetSql, connection);
        return await forget.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(NpgsqlCommand command, NpgsqlDbType type, Array value) =>
        command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Array | type });
}
