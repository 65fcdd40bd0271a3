using Npgsql;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>A database of its own on a TimescaleDB server, for one test.</summary>
internal static class TimescaleDatabase
{
    /// <summary>
    /// Makes a database with TimescaleDB and without tables, runs the test on it, and drops the database. A warning of
    /// SQLSTATE 01000 on one of the test's own connections fails the test. A test that needs the Community edition is
    /// skipped on the other one.
    /// </summary>
    public static async Task RunAsync(
        string server, Func<PostgresDatabase, Task> test, bool needsCommunity = false)
    {
        await using var database = await PostgresDatabase.CreateEmpty(server);
        try
        {
            await database.Execute("CREATE EXTENSION IF NOT EXISTS timescaledb");
            Skip.If(
                needsCommunity && await database.Row("SHOW timescaledb.license") != "timescale",
                "The server has the Apache edition, which has no columnstore.");
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

    /// <summary>
    /// Without the warning that a chunk hardly got smaller (its words differ by version): chunks of tests hold few
    /// rows.
    /// </summary>
    public static IEnumerable<string> Unexpected(IEnumerable<string> warnings) => warnings.Where(
        warning => !warning.StartsWith("poor compression ra", StringComparison.Ordinal));
}
