using Npgsql;
using NpgsqlTypes;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>
/// The advisory lock of a partition. Every transaction that writes a partition's ledger takes it first, without
/// waiting, and holds it until its end. Therefore pg_locks shows the holder with its process id, which it does not for
/// a row lock, and a transaction that does not get the lock knows at once that the partition is busy. The lock belongs
/// to the session: with PgBouncer only session pooling works.
/// </summary>
internal static class PartitionLock
{
    /// <summary>The first half of the lock's key; the second is the partition.</summary>
    public const int Class = 0x7465_6c70; // "telp"

    private static readonly TimeSpan TryEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>How long to wait for a partition's turn, which its owner has most of the time.</summary>
    private static readonly TimeSpan TurnWait = TimeSpan.FromSeconds(30);

    private const string PartitionSql = """
        SELECT p.partition FROM telemetry.partition p JOIN telemetry.gateway g ON g.partition = p.partition
        WHERE g.gateway = $1
        """;

    private const string RowSql = "SELECT FROM telemetry.partition WHERE partition = $1 FOR UPDATE";

    private const string HoldersSql = """
        SELECT l.objid::bigint::integer, l.pid, a.xact_start, coalesce(a.wait_event = 'ClientRead', false)
        FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1952803952 AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.objid::bigint = ANY($1) AND a.xact_start IS NOT NULL
        """;

    // The statement that ends a session checks every condition again.
    private const string EndSql = """
        SELECT pg_terminate_backend(a.pid)
        FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN telemetry.partition p ON p.partition = l.objid::bigint
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 1952803952 AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.objid::bigint = $1 AND a.pid = $2 AND a.xact_start = $3 AND a.wait_event = 'ClientRead'
          AND p.lease_until <= now()
        """;

    /// <summary>The transactions that hold these partitions now, in sessions that this role may see.</summary>
    public static async Task<Dictionary<int, LeaseHolder>> HoldersAsync(
        NpgsqlConnection connection, IEnumerable<int> partitions, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(HoldersSql, connection);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = partitions.Select(p => (long)p).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint,
        });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var holders = new Dictionary<int, LeaseHolder>();
        while (await reader.ReadAsync(cancellationToken))
        {
            holders[reader.GetInt32(0)] = new LeaseHolder(
                reader.GetInt32(1), reader.GetDateTime(2), reader.GetBoolean(3));
        }

        return holders;
    }

    /// <summary>Ends a holder's session; false when there was nothing to end.</summary>
    public static async Task<bool> EndAsync(
        NpgsqlConnection connection, int partition, LeaseHolder holder, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(EndSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = (long)partition, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = holder.Session, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = holder.Since, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>
    /// Takes the turn of a gateway's partition in the open transaction: first its lock, so that this transaction is
    /// visible too and can be ended if its process is frozen, and then its row. Returns the partition; null when the
    /// gateway is unknown. Throws <see cref="TimeoutException"/> when the partition stays busy.
    /// </summary>
    public static async Task<int?> TakeTurnAsync(
        NpgsqlConnection connection, string gateway, CancellationToken cancellationToken)
    {
        await using var finding = new NpgsqlCommand(PartitionSql, connection);
        finding.Parameters.Add(new NpgsqlParameter { Value = gateway, NpgsqlDbType = NpgsqlDbType.Text });
        if (await finding.ExecuteScalarAsync(cancellationToken) is not int partition)
        {
            return null;
        }

        if (!await TakeAsync(connection, partition, TurnWait, cancellationToken))
        {
            throw new TimeoutException(
                $"partition {partition} was busy for {TurnWait.TotalSeconds:0} s; try again later");
        }

        await using var locking = new NpgsqlCommand(RowSql, connection);
        locking.Parameters.Add(new NpgsqlParameter { Value = partition, NpgsqlDbType = NpgsqlDbType.Integer });
        await locking.ExecuteNonQueryAsync(cancellationToken);
        return partition;
    }

    /// <summary>
    /// Takes a partition's lock in the open transaction, and retries for <paramref name="patience"/>: for work beside
    /// the owner. It does not wait in the server's queue, where it would make the owner's next try fail.
    /// </summary>
    public static async Task<bool> TakeAsync(
        NpgsqlConnection connection, int partition, TimeSpan patience, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock($1, $2)", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = Class, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = partition, NpgsqlDbType = NpgsqlDbType.Integer });
        for (var waited = TimeSpan.Zero; waited <= patience; waited += TryEvery)
        {
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                return true;
            }

            await Task.Delay(TryEvery, cancellationToken);
        }

        return false;
    }
}
