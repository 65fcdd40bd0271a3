using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Chunks;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>The chunks of our hypertables, and what turns them into the columnstore.</summary>
internal static class HypertableChunks
{
    // Bits of a chunk's status.
    private const int Compressed = 1, Partial = 8;

    public static async Task<int> Chunks(this PostgresDatabase database, string table) => int.Parse(
        await database.Row($"SELECT count(*) FROM show_chunks('telemetry.{table}')"),
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Of each chunk whether it is in row form ("row"), in the columnstore ("column") or both.</summary>
    public static async Task<string> Forms(this PostgresDatabase database, string table) => string.Join(
        ", ",
        await database.Read(
            $"""
            SELECT c.status FROM _timescaledb_catalog.chunk c
            JOIN _timescaledb_catalog.hypertable h ON h.id = c.hypertable_id
            WHERE h.schema_name = 'telemetry' AND h.table_name = '{table}' ORDER BY c.id
            """,
            r => (r.GetInt32(0) & (Compressed | Partial)) switch
            {
                Compressed => "column",
                Compressed | Partial => "both",
                _ => "row",
            }));

    /// <summary>How many rows of all chunks are not in the columnstore.</summary>
    public static async Task<int> RowsInRowForm(this PostgresDatabase database, string table)
    {
        var rows = 0;
        foreach (var chunk in await database.Read(
            $"SELECT c::text FROM show_chunks('telemetry.{table}') c", r => r.GetString(0)))
        {
            rows += int.Parse(
                await database.Row($"SELECT count(*) FROM ONLY {chunk}"),
                System.Globalization.CultureInfo.InvariantCulture);
        }

        return rows;
    }

    /// <summary>Converts all chunks, each in a transaction of its own, or merges into them what came later.</summary>
    public static async Task Convert(this PostgresDatabase database, string table)
    {
        foreach (var chunk in await database.Read(
            $"SELECT c::text FROM show_chunks('telemetry.{table}') c", r => r.GetString(0)))
        {
            await database.Execute(
                $"CALL convert_to_columnstore('{chunk}', if_not_columnstore => true, recompress => true)");
        }
    }

    /// <summary>Converts or indexes what upkeep does, without waiting for late rows to end.</summary>
    public static Task KeepChunks(
        this PostgresDatabase database, long chunkBytes = 32 << 20, TimeSpan? lockWait = null) => new ChunkUpkeep(
        new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            PartitionLockWait = lockWait ?? TimeSpan.FromSeconds(3),
            ChunkBytes = chunkBytes,
            ChunkQuiet = TimeSpan.Zero,
            IndexingPercent = 100,
        },
        database.Postgres.Edition.Kind == DatabaseKind.TimescaleCommunity,
        TimeProvider.System).RunAsync(default);
}
