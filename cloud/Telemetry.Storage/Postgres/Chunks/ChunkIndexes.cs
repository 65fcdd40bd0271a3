using Npgsql;

namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>
/// TimescaleDB's Apache edition: builds the index by series and time of chunks of readings that have closed. Readers
/// and late readings go on meanwhile. What an interrupted build leaves is removed by the next one.
/// </summary>
internal sealed class ChunkIndexes(NpgsqlConnection connection)
{
    private const string Table = "reading", Suffix = "_by_series";

    private const string IndexedSql = $"""
        SELECT format('%I.%I', n.nspname, c.relname)
        FROM pg_index i
        JOIN pg_class x ON x.oid = i.indexrelid
        JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE i.indisvalid AND x.relname = c.relname || '{Suffix}'
        """;

    private const string NameSql = $"""
        SELECT format('%I.%I', n.nspname, c.relname || '{Suffix}'), format('%I', c.relname || '{Suffix}')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::regclass
        """;

    /// <summary>The closed chunks of readings that have no index yet, in the order of the list.</summary>
    public async Task<IReadOnlyList<Chunk>> DueAsync(
        IReadOnlyList<Chunk> chunks, DateTime closed, CancellationToken cancellationToken)
    {
        var indexed = new HashSet<string>();
        await using var command = new NpgsqlCommand(IndexedSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            indexed.Add(reader.GetString(0));
        }

        return
        [
            .. chunks.Where(chunk =>
                chunk.Table == Table && chunk.IsRows && chunk.To <= closed && !indexed.Contains(chunk.Name)),
        ];
    }

    /// <summary>Builds the index of one chunk.</summary>
    public async Task BuildAsync(Chunk chunk, CancellationToken cancellationToken)
    {
        var (qualified, name) = await NameAsync(chunk, cancellationToken);
        // There is none, or one that was not finished.
        await ExecuteAsync($"DROP INDEX CONCURRENTLY IF EXISTS {qualified}", cancellationToken);
        await ExecuteAsync($"CREATE INDEX CONCURRENTLY {name} ON {chunk.Name} (series, time)", cancellationToken);
    }

    private async Task<(string Qualified, string Name)> NameAsync(Chunk chunk, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(NameSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = chunk.Name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetString(0), reader.GetString(1));
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
