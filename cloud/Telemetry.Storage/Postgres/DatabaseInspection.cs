using Npgsql;
using Telemetry.Model.Installations;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres;

/// <summary>What was found in a database without changing it.</summary>
/// <param name="Edition">The kind of database.</param>
/// <param name="Version">The version of its tables; 0 when there are none.</param>
/// <param name="Installation">The facts in it; null before the first start.</param>
/// <param name="ReaderRoleProblem">What keeps the role of the readers from reading; null for nothing.</param>
public sealed record DatabaseInspection(
    DatabaseEdition Edition, int Version, InstallationFacts? Installation, string? ReaderRoleProblem)
{
    /// <summary>
    /// Looks at a database. Throws <see cref="StoreException"/> when this program cannot work with its tables, and the
    /// database's own errors.
    /// </summary>
    public static async Task<DatabaseInspection> RunAsync(
        PostgresStoreOptions options, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(options.ConnectionString);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var edition = await DatabaseEdition.DetectAsync(connection, cancellationToken);
        var version = await MigrationRunner.CheckAsync(connection, options.Migrate, cancellationToken);
        return new DatabaseInspection(
            edition, version,
            version < InstallationRow.SinceVersion
                ? null : await InstallationRow.FindAsync(connection, cancellationToken),
            version < ReaderRole.SinceVersion
                ? null : await ReaderRole.FindProblemAsync(connection, cancellationToken));
    }

    /// <summary>
    /// Compares a windows file with the database, as a processor does at its start; changes nothing. Returns how many
    /// of its entries are new. Throws <see cref="WindowWidthException"/> when the file does not agree with the
    /// database.
    /// </summary>
    public async Task<int> CompareAsync(
        PostgresStoreOptions options, ConfiguredWidths file, CancellationToken cancellationToken)
    {
        if (Version < WidthTable.SinceVersion)
        {
            return file.Entries.Count;
        }

        await using var database = NpgsqlDataSource.Create(options.ConnectionString);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await WidthTable.CompareAsync(connection, file, cancellationToken);
    }
}
