using Npgsql;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

/// <summary>A server without the role of the readers: a role belongs to the server, not to a database.</summary>
public sealed class ReaderRoleMissingTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task User_that_may_not_make_roles_works_without_and_is_told_what_to_run()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await database.Execute("CREATE ROLE plain LOGIN PASSWORD 'p'");
        await database.Execute(
            "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO plain', current_database()); END $$");
        var plain = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = "plain",
            Password = "p",
        }.ConnectionString;

        var store = await database.OpenStore(new PostgresStoreOptions { ConnectionString = plain });

        const string Advice = "run \"SELECT telemetry.grant_reader()\" once as a superuser";
        Assert.Contains(Advice, store.ReaderRoleProblem, StringComparison.Ordinal);
        Assert.StartsWith(
            $"there is no role {ReaderRole.Name}; {Advice}", await Problem(plain), StringComparison.Ordinal);
        await database.Execute($"CREATE ROLE {ReaderRole.Name}");
        Assert.Contains("may not read", await Problem(plain), StringComparison.Ordinal);

        Assert.Equal("True", await database.Row("SELECT telemetry.grant_reader()"));

        Assert.Null(await Problem(plain));
        await using var again = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = plain }, TimeProvider.System, default);
        Assert.Null(again.ReaderRoleProblem);
    }

    // As the command check finds it.
    private static async Task<string?> Problem(string connectionString) => (await DatabaseInspection.RunAsync(
        new PostgresStoreOptions { ConnectionString = connectionString }, default)).ReaderRoleProblem;
}
