using Telemetry.Storage;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

/// <summary>The views after an upgrade are those of a new database, and keep who may read them.</summary>
public sealed class ViewMakingTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const string TextSql = """
        SELECT c.relname || ' ' || coalesce(c.relacl::text, '') || ' ' || pg_get_viewdef(c.oid)
        FROM pg_class c WHERE c.relnamespace = 'telemetry'::regnamespace AND c.relkind = 'v'
        UNION ALL
        SELECT p.proname || ' ' || coalesce(p.proacl::text, '') || ' ' || pg_get_functiondef(p.oid)
        FROM pg_proc p WHERE p.pronamespace = 'telemetry'::regnamespace AND p.prokind = 'f'
        """;

    [Fact]
    public async Task Views_of_a_database_of_any_version_are_those_of_a_new_one()
    {
        await using var fresh = await PostgresDatabase.Create(fixture.ConnectionString);
        var expected = await Texts(fresh);
        Assert.InRange(expected.Count, 40, 1000);

        for (var version = 8; version < MigrationRunner.Version; version++)
        {
            await using var old = await Of(version);
            await old.OpenAnother();

            Assert.Equal(expected, await Texts(old));
        }
    }

    [Fact]
    public async Task Grants_and_views_of_others_are_kept()
    {
        await using var database = await Of(13);
        await database.Execute("""
            CREATE ROLE analyst; CREATE ROLE auditor; CREATE SCHEMA reports;
            GRANT SELECT ON telemetry.books TO analyst WITH GRANT OPTION;
            GRANT SELECT (gateway, mean) ON telemetry.windows TO auditor;
            REVOKE EXECUTE ON FUNCTION telemetry.window_check(interval) FROM PUBLIC;
            GRANT EXECUTE ON FUNCTION telemetry.window_check(interval) TO analyst;
            CREATE VIEW reports.open_windows WITH (security_barrier = true) AS
                SELECT gateway, start FROM telemetry.windows WHERE NOT complete;
            CREATE VIEW reports.gateways AS
                SELECT DISTINCT gateway, value FROM reports.open_windows, telemetry.fleet_watermark('line');
            GRANT SELECT ON reports.gateways TO PUBLIC;
            ALTER VIEW reports.gateways OWNER TO auditor;
            """);
        const string Sql = """
            SELECT has_table_privilege('analyst', 'telemetry.books', 'SELECT WITH GRANT OPTION'),
                has_column_privilege('auditor', 'telemetry.windows', 'mean', 'SELECT'),
                has_column_privilege('auditor', 'telemetry.windows', 'sum', 'SELECT'),
                has_function_privilege('analyst', 'telemetry.window_check(interval)', 'EXECUTE'),
                has_function_privilege('auditor', 'telemetry.window_check(interval)', 'EXECUTE'),
                has_table_privilege('analyst', 'reports.gateways', 'SELECT'),
                (SELECT string_agg(concat(relname, ' ', relowner::regrole, ' ', array_to_string(reloptions, ' ')), ', '
                     ORDER BY relname)
                 FROM pg_class WHERE relnamespace = 'reports'::regnamespace),
                pg_get_viewdef('reports.gateways'::regclass), pg_get_viewdef('reports.open_windows'::regclass)
            """;
        var before = await database.Row(Sql);
        Assert.StartsWith("True|True|False|True|False|True|gateways auditor ", before, StringComparison.Ordinal);

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(Sql));
    }

    [Theory]
    [InlineData("CREATE MATERIALIZED VIEW mine AS SELECT gateway FROM telemetry.books", "materialized view mine")]
    [InlineData("CREATE VIEW mine AS SELECT gateway FROM telemetry.device_windows", "view mine")]
    public async Task View_of_others_that_cannot_be_made_again_is_named_and_nothing_is_changed(string sql, string name)
    {
        await using var database = await Of(13);
        await database.Execute(sql);
        var before = await Texts(database);

        var e = await Assert.ThrowsAsync<StoreException>(database.OpenAnother);

        Assert.Contains($"The {name} ", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, await Texts(database));
        await database.Execute($"DROP {name}");
        await database.OpenAnother();
    }

    /// <summary>The text of each view and function, with the rights on it.</summary>
    internal static async Task<List<string>> Texts(PostgresDatabase database) =>
        [.. (await database.Read(TextSql, r => r.GetString(0))).Order(StringComparer.Ordinal)];

    private async Task<PostgresDatabase> Of(int version)
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await using var connection = await database.OpenConnection();
        await MigrationRunner.RunAsync(
            connection, await DatabaseEdition.DetectAsync(connection, default), true, default, version);
        return database;
    }
}
