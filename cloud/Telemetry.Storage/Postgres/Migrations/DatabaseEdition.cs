using Npgsql;

namespace Telemetry.Storage.Postgres.Migrations;

/// <summary>The kind of database.</summary>
public enum DatabaseKind
{
    /// <summary>PostgreSQL without TimescaleDB in this database: we make the partitions.</summary>
    PostgreSql,

    /// <summary>TimescaleDB under the Apache licence: hypertables.</summary>
    TimescaleApache,

    /// <summary>TimescaleDB under the Timescale licence: hypertables, columnstore, policies.</summary>
    TimescaleCommunity,
}

/// <summary>The abilities of the server, as it reports them.</summary>
/// <param name="Kind">The edition.</param>
/// <param name="PostgreSqlVersion">The server's version.</param>
/// <param name="TimescaleVersion">The extension's version; null without it.</param>
/// <param name="HasDirectCompress">Whether a COPY can write compressed batches (depends on a setting that the extension
/// may not have).</param>
public sealed record DatabaseEdition(
    DatabaseKind Kind, string PostgreSqlVersion, string? TimescaleVersion, bool HasDirectCompress)
{
    private const string Sql = """
        SELECT current_setting('server_version'),
               (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
               current_setting('timescaledb.license', true),
               EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.enable_direct_compress_copy')
        """;

    internal static async Task<DatabaseEdition> DetectAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var extension = reader.IsDBNull(1) ? null : reader.GetString(1);
        var license = reader.IsDBNull(2) ? null : reader.GetString(2);
        var kind = extension is null ? DatabaseKind.PostgreSql
            : license == "timescale" ? DatabaseKind.TimescaleCommunity
            : DatabaseKind.TimescaleApache;
        return new DatabaseEdition(
            kind, reader.GetString(0), extension, kind == DatabaseKind.TimescaleCommunity && reader.GetBoolean(3));
    }

    public override string ToString() => Kind switch
    {
        DatabaseKind.PostgreSql => $"PostgreSQL {PostgreSqlVersion}",
        DatabaseKind.TimescaleApache =>
            $"TimescaleDB {TimescaleVersion} (Apache edition) on PostgreSQL {PostgreSqlVersion}",
        _ => $"TimescaleDB {TimescaleVersion} (Community edition) on PostgreSQL {PostgreSqlVersion}",
    };
}
