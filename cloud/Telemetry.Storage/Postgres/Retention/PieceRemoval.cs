using Npgsql;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>Removes what is old enough of one week or chunk.</summary>
internal sealed class PieceRemoval(
    NpgsqlConnection connection, RetainedTable table, DatabaseEdition edition, PostgresStoreOptions options,
    UpkeepSession session, TimeProvider time)
{
    private const int GroupsAtOnce = 64;

    private readonly PieceDrop _drop = new(connection, table, edition, options);
    private readonly RowDeletion _deletion = new(connection, table, edition, options);

    /// <summary>
    /// Removes the rows of the groups that are <paramref name="due"/>, or all of it when all of it belongs to those
    /// that are <paramref name="expired"/>. Says how many rows after each transaction.
    /// </summary>
    public async Task<PieceOutcome> RunAsync(
        RetentionPiece piece, List<RetentionGroup> due, List<RetentionGroup> expired,
        Func<RetentionGroup, DateTime> until, Action<long> removed, CancellationToken cancellationToken)
    {
        try
        {
            if (piece.IsBounded && !await HasOthersAsync(piece, expired, cancellationToken)
                && await _drop.TryAsync(piece, expired, cancellationToken) is { } dropped)
            {
                removed(dropped.Sum(r => r.Count));
                return PieceOutcome.Dropped;
            }

            return piece.IsCompressed
                ? await DeleteBySeriesAsync(piece, due, removed, cancellationToken)
                : await DeleteAsync(piece, due, until, removed, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState
            is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return PieceOutcome.Delayed;
        }
    }

    // A look without any lock, which ends at the first row of something else.
    private async Task<bool> HasOthersAsync(
        RetentionPiece piece, List<RetentionGroup> expired, CancellationToken cancellationToken)
    {
        var rows = expired.SelectMany(g => g.Series.Select(series => (series, g.Width))).ToArray();
        await using var command = new NpgsqlCommand($"""
            SELECT EXISTS (
                SELECT FROM {piece.Table} p LEFT JOIN unnest($1, $2) u(series, width)
                    ON u.series = p.series AND u.width = {table.Width}
                WHERE u.series IS NULL)
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. rows.Select(r => r.series)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. rows.Select(r => r.Width)] });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<PieceOutcome> DeleteAsync(
        RetentionPiece piece, List<RetentionGroup> due, Func<RetentionGroup, DateTime> until, Action<long> removed,
        CancellationToken cancellationToken)
    {
        if (!piece.HasIndex)
        {
            return await DeleteByPagesAsync(piece, due, until, removed, cancellationToken);
        }

        // Few at a time: each step reads over the entries that the steps before it left in the index.
        foreach (var groups in due.Chunk(GroupsAtOnce))
        {
            long? deleted;
            do
            {
                var start = time.GetTimestamp();
                deleted = await _deletion.StepAsync(piece, groups, until, cancellationToken);
                removed(deleted ?? 0);
                await session.PauseAsync(start, cancellationToken);
            }
            while (deleted >= options.RetentionRowsMax);
            if (deleted is null)
            {
                return PieceOutcome.Delayed;
            }
        }

        return PieceOutcome.Kept;
    }

    private async Task<PieceOutcome> DeleteByPagesAsync(
        RetentionPiece piece, List<RetentionGroup> due, Func<RetentionGroup, DateTime> until, Action<long> removed,
        CancellationToken cancellationToken)
    {
        await using var size = new NpgsqlCommand(
            $"SELECT pg_relation_size('{piece.Table}') / current_setting('block_size')::bigint", connection);
        var pages = (long)(await size.ExecuteScalarAsync(cancellationToken))!;
        for (long page = 0; page == 0 || page < pages; page += RowDeletion.StepPages)
        {
            var start = time.GetTimestamp();
            if (await _deletion.StepAsync(
                piece, due, until, page, page + RowDeletion.StepPages >= pages, cancellationToken) is not { } deleted)
            {
                return PieceOutcome.Delayed;
            }

            removed(deleted);
            await session.PauseAsync(start, cancellationToken);
        }

        return PieceOutcome.Kept;
    }

    private async Task<PieceOutcome> DeleteBySeriesAsync(
        RetentionPiece piece, List<RetentionGroup> due, Action<long> removed, CancellationToken cancellationToken)
    {
        foreach (var group in due)
        {
            for (var at = 0; at < group.Series.Length; at++)
            {
                var start = time.GetTimestamp();
                removed(await _deletion.SeriesAsync(piece, group, at, cancellationToken));
                await session.PauseAsync(start, cancellationToken);
            }
        }

        return PieceOutcome.Kept;
    }
}
