using Npgsql;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>A database of its own on a TimescaleDB server, for one test.</summary>
internal static class TimescaleDatabase
{
    /// <summary>
    /// Makes a database with TimescaleDB and without tables, runs the test on it, sees that nothing warned on the test's
    /// own connections, and drops the database.
    /// </summary>
    public static async Task RunAsync(string server, Func<PostgresDatabase, Task> test)
    {
        await using var database = await PostgresDatabase.CreateEmpty(server);
        try
        {
            await database.Execute("CREATE EXTENSION IF NOT EXISTS timescaledb");
            await test(database);
        }
        finally
        {
            await database.DisposeAsync();
            await using var dropping = NpgsqlDataSource.Create(server);
            await using var command = dropping.CreateCommand(
                $"DROP DATABASE {new NpgsqlConnectionStringBuilder(database.ConnectionString).Database} WITH (FORCE)");
            await command.ExecuteNonQueryAsync();
        }

        Assert.Empty(Unexpected(database.Warnings));
    }

    /// <summary>Without the warning that a chunk hardly got smaller: chunks of tests hold few rows.</summary>
    public static IEnumerable<string> Unexpected(IEnumerable<string> warnings) => warnings.Where(
        warning => !warning.StartsWith("poor compression rate detected", StringComparison.Ordinal));
}
