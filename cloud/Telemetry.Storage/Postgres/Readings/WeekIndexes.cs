using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Builds the index by series and time of weeks that were filled before the table had one. Readers and commits go on
/// meanwhile. What an interrupted build leaves is removed by the next one.
/// </summary>
internal sealed class WeekIndexes(NpgsqlConnection connection, PostgresStoreOptions options)
{
    private const string NextSql = """
        SELECT c.relname, i.indisvalid
        FROM pg_inherits h
        JOIN pg_class c ON c.oid = h.inhrelid
        LEFT JOIN (pg_index i JOIN pg_class x ON x.oid = i.indexrelid)
            ON i.indrelid = c.oid AND x.relname = c.relname || '_series'
        WHERE h.inhparent = 'telemetry.reading_indexed'::regclass
          AND NOT EXISTS (SELECT FROM pg_index o JOIN pg_inherits p ON p.inhrelid = o.indexrelid
                          WHERE o.indrelid = c.oid AND p.inhparent = 'telemetry.reading_series'::regclass)
        ORDER BY c.relname DESC LIMIT 1
        """;

    /// <summary>Builds the index of the newest week that has none.</summary>
    public async Task BuildOneAsync(CancellationToken cancellationToken)
    {
        if (await FindNextAsync(cancellationToken) is not var (week, found))
        {
            return;
        }

        if (found == false)
        {
            await ExecuteAsync($"DROP INDEX CONCURRENTLY telemetry.{week}_series", cancellationToken);
        }

        if (found != true)
        {
            await ExecuteAsync(
                $"CREATE INDEX CONCURRENTLY {week}_series ON telemetry.{week} (series, time)", cancellationToken);
        }

        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync($"""
            SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms';
            ALTER INDEX telemetry.reading_series ATTACH PARTITION telemetry.{week}_series
            """, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<(string Week, bool? IsValid)?> FindNextAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(NextSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetBoolean(1))
            : null;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
