using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>
/// Keeps the rows of the frame register as long as the log keeps messages: whole UTC days that are older are summed up
/// into one row for each gateway and day, and removed, in one transaction.
/// </summary>
internal static class FrameRegisterRollupStatements
{
    private const long AdvisoryLock = 0x7465_6c65_6461_7973; // "teledays"

    // It holds locks that every commit needs.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(2);

    // The sum of hashes is modulo 2^64, stored as the same bits in a signed number.
    private const string SumUpSql = """
        INSERT INTO telemetry.frame_register_day (gateway, day, frames, stored, rejected, dropped, hash_sum)
        SELECT gateway, day, frames, stored, rejected, dropped,
            (CASE WHEN hash_sum >= 9223372036854775808 THEN hash_sum - 18446744073709551616
                  WHEN hash_sum < -9223372036854775808 THEN hash_sum + 18446744073709551616
                  ELSE hash_sum END)::bigint
        FROM (
            SELECT gateway, (stored_at AT TIME ZONE 'UTC')::date AS day, count(*) AS frames, sum(stored) AS stored,
                sum(rejected) AS rejected, sum(dropped) AS dropped,
                mod(sum(hash_sum::numeric), 18446744073709551616) AS hash_sum
            FROM telemetry.frame_register WHERE stored_at < $1 GROUP BY 1, 2) old
        """;

    private const string OldPartitionsSql = """
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'telemetry.frame_register'::regclass
          AND c.relname ~ '^frame_register_[0-9]{8}$' AND c.relname < $1
        """;

    /// <summary>
    /// Sums up and removes the days before the day that is <paramref name="keep"/> ago, by the database's clock.
    /// </summary>
    public static async Task RunAsync(
        NpgsqlConnection connection, bool partitioned, TimeSpan keep, TimeSpan lockWait,
        CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(
            connection, SilenceMax, cancellationToken);
        await using (var start = new NpgsqlCommand($"""
            SET LOCAL lock_timeout = '{(long)lockWait.TotalMilliseconds}ms';
            SELECT pg_advisory_xact_lock({AdvisoryLock})
            """, connection))
        {
            await start.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var clock = new NpgsqlCommand(
            "SELECT date_trunc('day', now() AT TIME ZONE 'UTC' - $1)", connection);
        clock.Parameters.Add(new NpgsqlParameter { Value = keep, NpgsqlDbType = NpgsqlDbType.Interval });
        var before = DateTime.SpecifyKind(
            (DateTime)(await clock.ExecuteScalarAsync(cancellationToken))!, DateTimeKind.Utc);

        await ExecuteAsync(connection, SumUpSql, before, cancellationToken);
        if (partitioned)
        {
            await DropPartitionsAsync(connection, before, cancellationToken);
            await ExecuteAsync(
                connection, "DELETE FROM telemetry.frame_register_default WHERE stored_at < $1", before,
                cancellationToken);
        }
        else
        {
            await ExecuteAsync(
                connection, "SELECT drop_chunks('telemetry.frame_register', older_than => $1)", before,
                cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Excludes the rollup until the transaction ends; for transactions that change rows of the register.
    /// </summary>
    public static async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AdvisoryLock})", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task DropPartitionsAsync(
        NpgsqlConnection connection, DateTime before, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await using (var command = new NpgsqlCommand(OldPartitionsSql, connection))
        {
            command.Parameters.Add(
                new NpgsqlParameter { Value = $"frame_register_{before:yyyyMMdd}", NpgsqlDbType = NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                names.Add(reader.GetString(0));
            }
        }

        foreach (var name in names)
        {
            await using var drop = new NpgsqlCommand($"DROP TABLE telemetry.{name}", connection);
            await drop.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, DateTime before, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = before, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
