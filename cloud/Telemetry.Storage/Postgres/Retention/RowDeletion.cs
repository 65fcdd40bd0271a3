using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>Deletes rows series by series, in transactions of a bounded number of rows.</summary>
internal sealed class RowDeletion(
    NpgsqlConnection connection, RetainedTable table, DatabaseEdition edition, PostgresStoreOptions options)
{
    /// <summary>The most pages of one step where no index finds the rows: 16 MiB.</summary>
    public const int StepPages = 2048;

    /// <summary>
    /// Of parts: no merge of parts goes on meanwhile, which could write a row behind the one that is deleted. It begins
    /// after the commit, and leaves out what retention has begun with.
    /// </summary>
    private static readonly string MergingLockSql = $"SELECT pg_advisory_xact_lock({PartMerging.StepLock})";

    /// <summary>
    /// Deletes up to the limit of rows of these groups that are older than <paramref name="until"/>, in one
    /// transaction. Returns how many; fewer than the limit when nothing is left, null when a job has turned the chunk
    /// into the columnstore.
    /// </summary>
    public Task<long?> StepAsync(
        RetentionPiece piece, IReadOnlyCollection<RetentionGroup> groups, Func<RetentionGroup, DateTime> until,
        CancellationToken cancellationToken) =>
        StepAsync(
            piece, groups, until, $"true LIMIT {options.RetentionRowsMax}",
            deleted => deleted < options.RetentionRowsMax, cancellationToken);

    /// <summary>The same of all rows in some pages, the last of which are told.</summary>
    public Task<long?> StepAsync(
        RetentionPiece piece, IReadOnlyCollection<RetentionGroup> groups, Func<RetentionGroup, DateTime> until,
        long page, bool isLast, CancellationToken cancellationToken) =>
        StepAsync(
            piece, groups, until, $"p.ctid >= '({page},0)'::tid AND p.ctid < '({page + StepPages},0)'::tid",
            _ => isLast, cancellationToken);

    /// <summary>
    /// Deletes the rows of one series in a chunk of the columnstore, in one transaction. It looks for them by literals:
    /// before it deletes, TimescaleDB moves rows of the columnstore into row form, all that the conditions do not
    /// exclude, and only literals exclude.
    /// </summary>
    public async Task<long> SeriesAsync(
        RetentionPiece piece, RetentionGroup group, int at, CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync(
            $"SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms'; "
            + $"SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0; {FirstLockSql}",
            cancellationToken);
        var device = table.HasDevice ? $"device = {group.Devices[at]} AND " : "";
        var width = table.IsParts ? $" AND width = {group.Width}" : "";
        var deleted = await ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
                DELETE FROM telemetry.{table.Name} WHERE {device}series = {group.Series[at]}{width}
                AND {table.Time} >= '{piece.From:yyyy-MM-dd HH:mm:ss.ffffff}Z'::timestamptz
                AND {table.Time} < '{piece.To:yyyy-MM-dd HH:mm:ss.ffffff}Z'::timestamptz
                """), cancellationToken);
        if (deleted > 0)
        {
            var month = new DateOnly(piece.From.Year, piece.From.Month, 1);
            await RetirementBooks.CountAsync(
                connection, [new RemovedRows(group.Series[at], group.Width, month, deleted)], cancellationToken);
        }

        await RetirementBooks.MarkAsync(
            connection, [group], _ => piece.To, at == group.Series.Length - 1, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return deleted;
    }

    // From the moment on at which some are gone, nobody may take the others for the whole.
    private async Task<long?> StepAsync(
        RetentionPiece piece, IReadOnlyCollection<RetentionGroup> groups, Func<RetentionGroup, DateTime> until,
        string which, Func<long, bool> isLast, CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync(
            $"SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms'; {FirstLockSql}"
            + LockSql(piece),
            cancellationToken);
        if (await IsCompressedAsync(piece, cancellationToken))
        {
            return null;
        }

        var deleted = await DeleteAsync(piece, groups, until, which, cancellationToken);
        if (deleted > 0 || piece.IsBounded)
        {
            await RetirementBooks.MarkAsync(
                connection, groups, until, piece.IsBounded && isLast(deleted), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return deleted;
    }

    private async Task<bool> IsCompressedAsync(RetentionPiece piece, CancellationToken cancellationToken)
    {
        if (edition.Kind != DatabaseKind.TimescaleCommunity)
        {
            return false;
        }

        await using var command = new NpgsqlCommand(
            "SELECT is_compressed FROM timescaledb_information.chunks "
            + "WHERE format('%I.%I', chunk_schema, chunk_name) = $1", connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = piece.Table });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private string FirstLockSql => table.IsParts ? $"{MergingLockSql}; " : "";

    private string LockSql(RetentionPiece piece) => edition.Kind != DatabaseKind.PostgreSql
        // While it is locked, no job turns it into the columnstore.
        ? $"LOCK TABLE {piece.Table} IN ROW EXCLUSIVE MODE"
        : table.IsParts ? "LOCK TABLE ONLY telemetry.window_part IN ROW EXCLUSIVE MODE" : ReadingTable.LockSql;

    private async Task<long> DeleteAsync(
        RetentionPiece piece, IReadOnlyCollection<RetentionGroup> groups, Func<RetentionGroup, DateTime> until,
        string which, CancellationToken cancellationToken)
    {
        if (piece.HasIndex)
        {
            // Any other plan reads from the beginning of the table again with each step.
            await ExecuteAsync(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off", cancellationToken);
        }

        await using var command = new NpgsqlCommand($"""
            WITH gone AS (
                DELETE FROM {piece.Table} WHERE ctid = ANY (ARRAY(
                    SELECT p.ctid FROM {piece.Table} p
                    JOIN unnest($1, $2, $3) u(series, width, until) ON u.series = p.series AND u.width = {table.Width}
                    WHERE p.{table.Time} < u.until AND p.{table.Time} < $4 AND {which}))
                RETURNING series, {table.Width.Replace("p.", "", StringComparison.Ordinal)} AS width,
                    date_trunc('month', {table.Time} AT TIME ZONE 'UTC')::date AS month),
            counted AS (
                INSERT INTO telemetry.retirement_count AS c (gateway, metric, width, month, removed)
                SELECT s.gateway, s.metric, g.width, g.month, count(*)
                FROM gone g JOIN telemetry.series s ON s.id = g.series
                GROUP BY s.gateway, s.metric, g.width, g.month
                ON CONFLICT (gateway, metric, width, month) DO UPDATE SET removed = c.removed + excluded.removed)
            SELECT count(*) FROM gone
            """, connection);
        var rows = groups.SelectMany(g => g.Series.Select(series => (series, Group: g))).ToArray();
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. rows.Select(r => r.series)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. rows.Select(r => r.Group.Width)] });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = rows.Select(r => until(r.Group)).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
        });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = groups.Max(until),
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
