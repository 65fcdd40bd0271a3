using Npgsql;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

/// <summary>What the role of the readers may do, and who makes it.</summary>
public sealed class ReaderRoleTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Reader_reads_every_view_and_function_and_only_the_tables_of_these()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute("CREATE ROLE grafana LOGIN PASSWORD 'g'; GRANT telemetry_reader TO grafana");
        var views = await Names(database, "v");
        var tables = await Names(database, "r");

        await using var connection = await Connect(database, "grafana");
        Assert.Contains("telemetry.readings", views);
        foreach (var from in (string[])
            [
                .. views, "telemetry.windows_by('month', '2026-01-01', '2027-01-01')",
                "telemetry.group_windows('site', 's', 'm', '2026-01-01', '2026-01-02')",
                "telemetry.windows_as_of(now())", "telemetry.window_check('1 day')",
                "telemetry.fleet_watermark('line')",
            ])
        {
            await using var command = new NpgsqlCommand($"SELECT * FROM {from}", connection);
            await command.ExecuteNonQueryAsync();
        }

        Assert.Contains("telemetry.reading_default", tables);
        foreach (var table in tables.Except(["telemetry.series"]))
        {
            Assert.Equal("42501", await Error(connection, $"SELECT FROM {table}"));
        }

        Assert.Equal("42501", await Error(connection, "CREATE TABLE telemetry.mine (a int)"));
    }

    [Fact]
    public async Task Views_of_a_later_migration_are_granted_by_the_next_start()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute("CREATE VIEW telemetry.later AS SELECT 1 AS one");
        Assert.Equal("False", await Reads(database, "telemetry.later"));

        await database.OpenAnother();

        Assert.Equal("True", await Reads(database, "telemetry.later"));
    }

    private static Task<string> Reads(PostgresDatabase database, string view) =>
        database.Row($"SELECT has_table_privilege('{ReaderRole.Name}', '{view}', 'SELECT')");

    private static async Task<NpgsqlConnection> Connect(PostgresDatabase database, string user)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database.ConnectionString)
            {
                Username = user,
                Password = "g",
                Pooling = false,
            }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<string> Error(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState;
    }

    private static Task<IReadOnlyList<string>> Names(PostgresDatabase database, string kind) => database.Read(
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'telemetry'::regnamespace AND relkind = "
        + $"'{kind}'", r => r.GetString(0));
}
