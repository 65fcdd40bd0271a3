using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>
/// Reads, takes and gives back the leases of partitions, by the database's clock. Nothing here waits for a row that a
/// transaction holds, because its process may be frozen.
/// </summary>
internal static class Leases
{
    // A row is inserted only where there is none: ON CONFLICT alone would wait for a transaction that changes it.
    private const string TakeSql = """
        WITH made AS (
            INSERT INTO telemetry.partition AS p (partition, token, owner, lease_until, commits,
                live_created, live_sequence, live_message, live_stored,
                backlog_created, backlog_sequence, backlog_message, backlog_stored)
            SELECT $1, $2, $3, now() + $4, 0, 0, 0, '', 0, 0, 0, '', 0
            WHERE NOT EXISTS (SELECT FROM telemetry.partition WHERE partition = $1)
            ON CONFLICT (partition) DO NOTHING
            RETURNING p.*
        ), free AS MATERIALIZED (
            SELECT partition FROM telemetry.partition
            WHERE partition = $1 AND (owner = $3 OR lease_until <= now())
            FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE telemetry.partition p SET token = $2, owner = $3, lease_until = now() + $4
            FROM free WHERE p.partition = free.partition
            RETURNING p.*
        )
        SELECT commits, live_created, live_sequence, live_message, live_stored,
            backlog_created, backlog_sequence, backlog_message, backlog_stored, alert_number, alert_chain
        FROM (SELECT * FROM made UNION ALL SELECT * FROM taken) p
        """;

    private const string ReleaseSql = """
        UPDATE telemetry.partition p SET lease_until = '-infinity'
        FROM (SELECT partition FROM telemetry.partition WHERE partition = $1 AND token = $2
              FOR UPDATE SKIP LOCKED) free
        WHERE p.partition = free.partition
        """;

    private const string BeatSql = """
        INSERT INTO telemetry.processor (owner, worker, workers, held, alive_until) VALUES ($1, $2, $3, $4, now() + $5)
        ON CONFLICT (owner, worker) DO UPDATE
        SET workers = excluded.workers, held = excluded.held, alive_until = excluded.alive_until
        """;

    private const string WorkersSql =
        "SELECT owner, worker, workers, held FROM telemetry.processor WHERE alive_until > now() ORDER BY 1, 2";

    private const string ForgetSql =
        "DELETE FROM telemetry.processor WHERE alive_until <= now() - interval '1 hour'";

    private const string LeasesSql = """
        SELECT partition, token, owner,
            CASE WHEN lease_until > now() THEN 0 WHEN lease_until > '-infinity' THEN 1 ELSE 2 END
        FROM telemetry.partition ORDER BY partition
        """;

    /// <summary>Reports that a worker is alive, and reads the live workers and the leases.</summary>
    public static async Task<LeaseLook> LookAsync(
        NpgsqlConnection connection, LiveWorker beat, TimeSpan lasts, CancellationToken cancellationToken)
    {
        var (workers, leases) = (new List<LiveWorker>(), new List<LeaseSeen>());
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(Beat(beat, lasts));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ForgetSql));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(WorkersSql));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(LeasesSql));
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                workers.Add(new LiveWorker(
                    reader.GetString(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3)));
            }

            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                leases.Add(new LeaseSeen(
                    reader.GetInt32(0), (ulong)reader.GetInt64(1), reader.GetString(2),
                    (LeaseState)reader.GetInt32(3)));
            }
        }

        var late = leases.FindAll(l => l.State == LeaseState.RunOut).ConvertAll(l => l.Partition);
        if (late.Count > 0)
        {
            var holders = await PartitionLock.HoldersAsync(connection, late, cancellationToken);
            leases = leases.ConvertAll(l =>
                holders.TryGetValue(l.Partition, out var holder) ? l with { Holder = holder } : l);
        }

        return new LeaseLook(workers, leases);
    }

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

    private static NpgsqlBatchCommand Beat(LiveWorker beat, TimeSpan lasts)
    {
        var command = new NpgsqlBatchCommand(BeatSql);
        command.Parameters.Add(new NpgsqlParameter { Value = beat.Owner, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = beat.Worker, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = beat.Workers, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = beat.Held, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = lasts, NpgsqlDbType = NpgsqlDbType.Interval });
        return command;
    }

    private static StreamPosition ReadPosition(NpgsqlDataReader reader, int column) => new(
        reader.GetInt64(column), reader.GetInt64(column + 1), reader.GetString(column + 2),
        reader.GetInt64(column + 3));
}
