using System.Globalization;
using Npgsql;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>
/// Removes a week or a chunk as a whole. Its rows are counted behind a lock that readers do not wait for; a commit with
/// late rows of just this time does. What cannot be locked soon is left to the next run.
/// </summary>
internal sealed class PieceDrop(
    NpgsqlConnection connection, RetainedTable table, DatabaseEdition edition, PostgresStoreOptions options)
{
    // Longer than the server waits before it looks for a deadlock, it would be others that are ended.
    private static readonly TimeSpan LockWaitMax = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Removes it if everything in it belongs to these groups. Returns what was removed; null when something else is
    /// in it, and then nothing has changed.
    /// </summary>
    public async Task<IReadOnlyList<RemovedRows>?> TryAsync(
        RetentionPiece piece, IReadOnlyCollection<RetentionGroup> expired, CancellationToken cancellationToken)
    {
        // The server ends a transaction that computes for longer between two statements.
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        var wait = options.PartitionLockWait < LockWaitMax ? options.PartitionLockWait : LockWaitMax;
        await ExecuteAsync(
            $"SET LOCAL lock_timeout = '{(long)wait.TotalMilliseconds}ms'; LOCK TABLE {piece.Table} IN SHARE MODE",
            cancellationToken);
        var removed = await CountAsync(piece, cancellationToken);
        var mine = expired.SelectMany(g => g.Series.Select(series => (series, g.Width))).ToHashSet();
        if (!removed.All(r => mine.Contains((r.Series, r.Width))))
        {
            return null;
        }

        await RetirementBooks.CountAsync(connection, removed, cancellationToken);
        await RetirementBooks.MarkAsync(connection, expired, _ => piece.To, done: true, cancellationToken);
        if (edition.Kind == DatabaseKind.PostgreSql)
        {
            await ExecuteAsync($"DROP TABLE {piece.Table}", cancellationToken);
        }
        else
        {
            await DropChunkAsync(piece, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return removed;
    }

    // It leaves out what it may not drop, without an error: then nothing is counted either.
    private async Task DropChunkAsync(RetentionPiece piece, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            string.Create(CultureInfo.InvariantCulture, $"""
                SELECT count(*) FROM drop_chunks('telemetry.{table.Name}',
                    older_than => '{piece.To:yyyy-MM-dd HH:mm:ss.ffffff}Z'::timestamptz,
                    newer_than => '{piece.From:yyyy-MM-dd HH:mm:ss.ffffff}Z'::timestamptz)
                """),
            connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not 1L)
        {
            throw new InvalidOperationException($"TimescaleDB did not drop {piece.Table}.");
        }
    }

    private async Task<List<RemovedRows>> CountAsync(RetentionPiece piece, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT p.series, {table.Width}, date_trunc('month', p.{table.Time} AT TIME ZONE 'UTC')::date, count(*)
            FROM {piece.Table} p GROUP BY 1, 2, 3
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var counts = new List<RemovedRows>();
        while (await reader.ReadAsync(cancellationToken))
        {
            counts.Add(new RemovedRows(
                reader.GetInt32(0), reader.GetInt32(1), reader.GetFieldValue<DateOnly>(2), reader.GetInt64(3)));
        }

        return counts;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
