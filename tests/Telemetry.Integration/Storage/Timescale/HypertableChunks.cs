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

    /// <summary>Runs the table's policy once, as the server's worker does at intervals.</summary>
    public static async Task RunPolicy(this PostgresDatabase database, string table) => await database.Execute(
        $"CALL run_job({await database.Row($"""
            SELECT job_id FROM timescaledb_information.jobs
            WHERE hypertable_schema = 'telemetry' AND hypertable_name = '{table}'
            """)})");
}
