using Npgsql;
using NpgsqlTypes;
using Telemetry.Cloud.Alerts;

namespace Telemetry.Cloud.Storage.Postgres;

/// <summary>Takes and gives back the leases of partitions, by the database's clock.</summary>
internal static class Leases
{
    private const string TakeSql = """
        INSERT INTO telemetry.partition AS p (partition, token, owner, lease_until, commits,
            live_created, live_sequence, live_message, live_stored,
            backlog_created, backlog_sequence, backlog_message, backlog_stored)
        VALUES ($1, $2, $3, now() + $4, 0, 0, 0, '', 0, 0, 0, '', 0)
        ON CONFLICT (partition) DO UPDATE
        SET token = excluded.token, owner = excluded.owner, lease_until = excluded.lease_until
        WHERE p.owner = excluded.owner OR p.lease_until <= now()
        RETURNING p.commits, p.live_created, p.live_sequence, p.live_message, p.live_stored,
            p.backlog_created, p.backlog_sequence, p.backlog_message, p.backlog_stored, p.alert_number, p.alert_chain
        """;

    private const string ReleaseSql =
        "UPDATE telemetry.partition SET lease_until = '-infinity' WHERE partition = $1 AND token = $2";

    public static async Task<PartitionRow?> TakeAsync(
        NpgsqlConnection connection, int partition, ulong token, string owner, TimeSpan lease,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TakeSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = partition, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = (long)token, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = owner, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = lease, NpgsqlDbType = NpgsqlDbType.Interval });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new PartitionRow(
                partition, token, reader.GetInt64(0), ReadPosition(reader, 1), ReadPosition(reader, 5),
                new AlertHead(reader.GetInt64(9), ColumnValues.Hash(reader.GetFieldValue<byte[]>(10))))
            : null;
    }

    public static async Task ReleaseAsync(
        NpgsqlConnection connection, int partition, ulong token, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ReleaseSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = partition, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = (long)token, NpgsqlDbType = NpgsqlDbType.Bigint });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static LogPosition ReadPosition(NpgsqlDataReader reader, int column) => new(
        reader.GetInt64(column), reader.GetInt64(column + 1), reader.GetString(column + 2),
        reader.GetInt64(column + 3));
}
