using Npgsql;
using Telemetry.Storage.Postgres.Chunks;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>The readings, or the parts of windows, and the tables that they lie in.</summary>
/// <param name="Name">The table.</param>
/// <param name="Parent">Plain PostgreSQL: the table that has the weeks.</param>
/// <param name="WeekName">Plain PostgreSQL: what the names of the weeks begin with; the rest is the first day.</param>
/// <param name="Unbounded">Plain PostgreSQL: the tables that have rows of every time.</param>
/// <param name="Time">The column of the event time.</param>
/// <param name="Width">The width of the windows, 0 for readings.</param>
/// <param name="HasDevice">True when the columnstore segments by device.</param>
internal sealed record RetainedTable(
    string Name, string Parent, string WeekName, IReadOnlyList<string> Unbounded, string Time, string Width,
    bool HasDevice)
{
    public static RetainedTable Readings(bool hasDevice) => new(
        "reading", "reading_indexed", "reading", ["reading_default", "reading_arrived"], "time", "0", hasDevice);

    public static RetainedTable Parts { get; } = new(
        "window_part", "window_part", "window_part", ["window_part_default"], "start", "p.width", false);

    /// <summary>True for the parts of windows.</summary>
    public bool IsParts => Name == Parts.Name;

    /// <summary>The tables, the oldest first; those with rows of every time last.</summary>
    public async Task<List<RetentionPiece>> ListAsync(
        NpgsqlConnection connection, DatabaseEdition edition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            edition.Kind == DatabaseKind.PostgreSql ? WeeksSql : ChunksSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var pieces = new List<RetentionPiece>();
        while (await reader.ReadAsync(cancellationToken))
        {
            pieces.Add(new RetentionPiece(
                reader.GetString(0), reader.GetDateTime(1), reader.GetDateTime(2), reader.GetBoolean(3),
                reader.GetBoolean(4)));
        }

        if (edition.Kind == DatabaseKind.PostgreSql)
        {
            pieces.AddRange(Unbounded.Select(table => new RetentionPiece(
                $"telemetry.{table}", DateTime.MinValue, DateTime.MaxValue, false, table != "reading_arrived")));
        }

        return pieces;
    }

    // Weeks from before the index by series get it one after the other.
    private string WeeksSql => $"""
        SELECT 'telemetry.' || c.relname, d.first, d.first + interval '7 days', false,
               EXISTS (SELECT FROM pg_index i JOIN pg_inherits p ON p.inhrelid = i.indexrelid
                       JOIN pg_index o ON o.indexrelid = p.inhparent AND o.indnkeyatts = 2
                       WHERE i.indrelid = c.oid AND i.indisvalid)
        FROM pg_inherits h
        JOIN pg_class c ON c.oid = h.inhrelid
        CROSS JOIN LATERAL (SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS first) d
        WHERE h.inhparent = 'telemetry.{Parent}'::regclass AND c.relname ~ '^{WeekName}_[0-9]{"{8}"}$'
        ORDER BY d.first
        """;

    // Nothing of a frozen chunk can be changed, and drop_chunks leaves it out without a word.
    private string ChunksSql => $"""
        SELECT format('%I.%I', v.chunk_schema, v.chunk_name), v.range_start, v.range_end,
               coalesce(v.is_compressed, false), {(IsParts ? "true" : "false")}
        FROM timescaledb_information.chunks v
        JOIN _timescaledb_catalog.chunk c ON c.schema_name = v.chunk_schema AND c.table_name = v.chunk_name
        WHERE v.hypertable_schema = 'telemetry' AND v.hypertable_name = '{Name}'
          AND isfinite(v.range_start) AND isfinite(v.range_end) AND c.status & {Chunk.Frozen} = 0
        ORDER BY v.range_start
        """;
}
