using Npgsql;

namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>What TimescaleDB says of the hypertables of readings and of parts of windows.</summary>
internal static class ChunkQueries
{
    /// <summary>The table of parts of windows.</summary>
    public const string Parts = "window_part";

    private const string Tables = $"('reading', '{Parts}')";

    // The newest first: it is asked for most. Retention may drop a chunk meanwhile.
    private const string ChunksSql = $"""
        SELECT format('%I.%I', v.chunk_schema, v.chunk_name), v.hypertable_name::text, v.range_start, v.range_end,
               c.status, pg_relation_size(to_regclass(format('%I.%I', v.chunk_schema, v.chunk_name))),
               coalesce(z.uncompressed_heap_size, 0), coalesce(pg_relation_size(e.compress_relid), 0)
        FROM timescaledb_information.chunks v
        JOIN _timescaledb_catalog.chunk c ON c.schema_name = v.chunk_schema AND c.table_name = v.chunk_name
        LEFT JOIN _timescaledb_catalog.compression_chunk_size z ON z.chunk_id = c.id
        LEFT JOIN _timescaledb_catalog.compression_settings e
            ON e.relid = to_regclass(format('%I.%I', v.chunk_schema, v.chunk_name))
        WHERE v.hypertable_schema = 'telemetry' AND v.hypertable_name IN {Tables}
          AND isfinite(v.range_start) AND isfinite(v.range_end)
          AND pg_relation_size(to_regclass(format('%I.%I', v.chunk_schema, v.chunk_name))) IS NOT NULL
        ORDER BY v.range_end DESC, v.hypertable_name
        """;

    private const string LengthsSql = $"""
        SELECT hypertable_name::text, extract(epoch FROM time_interval)::bigint
        FROM timescaledb_information.dimensions
        WHERE hypertable_schema = 'telemetry' AND hypertable_name IN {Tables}
        """;

    /// <summary>All chunks, the newest first.</summary>
    public static async Task<IReadOnlyList<Chunk>> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ChunksSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var chunks = new List<Chunk>();
        while (await reader.ReadAsync(cancellationToken))
        {
            chunks.Add(new Chunk(
                reader.GetString(0), reader.GetString(1), reader.GetDateTime(2), reader.GetDateTime(3),
                reader.GetInt32(4), reader.GetInt64(5), reader.GetInt64(6), reader.GetInt64(7)));
        }

        return chunks;
    }

    /// <summary>How long new chunks of each table are.</summary>
    public static async Task<IReadOnlyList<(string Table, TimeSpan Length)>> ReadLengthsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LengthsSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var lengths = new List<(string, TimeSpan)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            lengths.Add((reader.GetString(0), TimeSpan.FromSeconds(reader.GetInt64(1))));
        }

        return lengths;
    }
}
