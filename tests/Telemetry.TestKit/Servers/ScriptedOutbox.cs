using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.TestKit.Servers;

/// <summary>Fills the alert outbox of a database without a processor, for tests of the relay.</summary>
public static class ScriptedOutbox
{
    private const string Sql = """
        WITH rows AS (
            INSERT INTO telemetry.alert_outbox (partition, number, chain, id, event, stored_at)
            SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5) u(partition, number, chain, id, event)
            RETURNING partition, number, chain)
        INSERT INTO telemetry.partition AS p (partition, token, owner, lease_until, commits,
            live_created, live_sequence, live_message, live_stored,
            backlog_created, backlog_sequence, backlog_message, backlog_stored, alert_number, alert_chain)
        SELECT DISTINCT ON (partition)
            partition, 0, '', '-infinity'::timestamptz, 0, 0, 0, '', 0, 0, 0, '', 0, number, chain
        FROM rows ORDER BY partition, number DESC
        ON CONFLICT (partition) DO UPDATE SET alert_number = excluded.alert_number, alert_chain = excluded.alert_chain
        """;

    /// <summary>Adds rows and raises the heads of their partitions in one transaction.</summary>
    public static async Task AppendAsync(
        NpgsqlConnection connection, IReadOnlyCollection<AlertOutboxRow> rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        Add(NpgsqlDbType.Integer, rows.Select(r => r.Partition).ToArray());
        Add(NpgsqlDbType.Bigint, rows.Select(r => r.Head.Number).ToArray());
        Add(NpgsqlDbType.Bytea, rows.Select(r => ColumnValues.Bytes(r.Head.Chain)).ToArray());
        Add(NpgsqlDbType.Text, rows.Select(r => r.Id).ToArray());
        Add(NpgsqlDbType.Bytea, rows.Select(r => r.Json.ToArray()).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(NpgsqlDbType type, Array value) =>
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
