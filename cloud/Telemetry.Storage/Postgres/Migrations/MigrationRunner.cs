using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Migrations;

/// <summary>
/// Migrates the database's tables from version to version, each by the files Migrations/NNNN*.sql, and makes the views
/// anew after the last one (<see cref="ViewMaking"/>). Everything happens in one transaction under one advisory lock,
/// so that of several processes that start at once one migrates and the others wait.
/// </summary>
internal static class MigrationRunner
{
    /// <summary>The version that this build works with.</summary>
    public const int Version = 17;

    private const int NumbersOfSeries = 7;

    private const long AdvisoryLock = 0x7465_6c65_6d65_7472; // "telemetr"

    // It computes between statements, and everything that waits for it is waiting to start.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(30);

    private const string VersionSql = """
        SELECT CASE WHEN to_regclass('telemetry.telemetry_schema') IS NULL THEN 0 END
        """;

    /// <summary>
    /// Migrates, or only checks; throws <see cref="StoreException"/> when the versions do not match. It is one
    /// transaction, done completely or not at all; after a failure the next start repeats it. <paramref name="until"/>
    /// is for tests. Returns what keeps the readers' role from reading, or null; see <see cref="ReaderRole"/>.
    /// </summary>
    public static async Task<string?> RunAsync(
        NpgsqlConnection connection, DatabaseEdition edition, bool migrate, CancellationToken cancellationToken,
        int until = Version)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, SilenceMax, cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellationToken);
        var found = await CheckAsync(connection, migrate, cancellationToken);
        ViewMaking? views = null;
        for (var version = found + 1; version <= until; version++)
        {
            if (version >= ViewMaking.SinceVersion)
            {
                views ??= await ViewMaking.DropAsync(connection, cancellationToken);
            }

            await ApplyAsync(connection, edition, version, cancellationToken);
        }

        // The views are those of the newest tables.
        if (views is not null && until == Version)
        {
            await views.MakeAsync(connection, Parts(edition), cancellationToken);
        }

        var problem = migrate && until >= ReaderRole.SinceVersion
            ? await ReaderRole.GrantAsync(connection, cancellationToken) : null;
        await transaction.CommitAsync(cancellationToken);
        return problem;
    }

    /// <summary>
    /// Finds the tables' version (0 when there are none) and changes nothing; throws <see cref="StoreException"/> when
    /// this build cannot work with it.
    /// </summary>
    public static async Task<int> CheckAsync(
        NpgsqlConnection connection, bool migrate, CancellationToken cancellationToken)
    {
        var found = await FindVersionAsync(connection, cancellationToken);
        if (found > Version)
        {
            throw Refused($"The database's tables have version {found}, newer than version {Version} that this program "
                + "knows. Run a newer program.");
        }

        if (found < Version && !migrate)
        {
            throw Refused(
                $"The database's tables have version {found}, this program needs version {Version} and is not "
                + "allowed to migrate. Run it once with migration allowed.");
        }

        return found;
    }

    private static async Task ApplyAsync(
        NpgsqlConnection connection, DatabaseEdition edition, int version, CancellationToken cancellationToken)
    {
        if (version == 1)
        {
            await ExecuteAsync(connection, """
                CREATE SCHEMA IF NOT EXISTS telemetry;
                CREATE TABLE telemetry.telemetry_schema (
                    version integer PRIMARY KEY, applied_at timestamptz NOT NULL, edition text NOT NULL)
                """, cancellationToken);
        }

        var carrying = version == NumbersOfSeries
            ? await HashSumCarrying.ReadAsync(connection, cancellationToken) : null;
        foreach (var part in Parts(edition))
        {
            if (Read($"{version:0000}{part}.sql") is { } sql)
            {
                await ExecuteAsync(connection, sql, cancellationToken);
            }
        }

        if (carrying is not null)
        {
            await carrying.WriteAsync(connection, cancellationToken);
        }

        await using var command = new NpgsqlCommand(
            "INSERT INTO telemetry.telemetry_schema VALUES ($1, now(), $2)", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = version, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = edition.ToString(), NpgsqlDbType = NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string[] Parts(DatabaseEdition edition) => edition.Kind switch
    {
        DatabaseKind.PostgreSql => ["", ".partitioned", ".views"],
        DatabaseKind.TimescaleApache => ["", ".hypertable", ".views"],
        _ => ["", ".hypertable", ".columnstore", ".views"],
    };

    private static async Task<int> FindVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await ScalarAsync(connection, VersionSql, cancellationToken) is int)
        {
            return 0;
        }

        return await ScalarAsync(
            connection, "SELECT coalesce(max(version), 0) FROM telemetry.telemetry_schema",
            cancellationToken) as int? ?? 0;
    }

    private static async Task<object?> ScalarAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        // Without a time limit: a filled database is rewritten once, and a second attempt would take as long again.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string? Read(string file)
    {
        using var stream = typeof(MigrationRunner).Assembly.GetManifestResourceStream("Telemetry.Migrations." + file);
        if (stream is null)
        {
            return null;
        }

        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static StoreException Refused(string message) => new(message, isDataFault: false, mayHaveCommitted: false);
}
