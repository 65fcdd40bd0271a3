using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Migrations;

namespace Telemetry.Integration.Storage;

public sealed class MigrationTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Edition_of_a_server_without_TimescaleDB_is_plain_PostgreSQL()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);

        Assert.Equal(DatabaseKind.PostgreSql, database.Postgres.Edition.Kind);
        Assert.StartsWith(
            $"PostgreSQL {await database.Row("SHOW server_version")}", database.Postgres.Edition.ToString(),
            StringComparison.Ordinal);
        Assert.Null(database.Postgres.Edition.TimescaleVersion);
        Assert.False(database.Postgres.Edition.HasDirectCompress);
    }

    [Fact]
    public async Task Migrating_again_changes_nothing()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var before = await database.Row(
            "SELECT string_agg(version || ' ' || applied_at, ', ') FROM telemetry.telemetry_schema");

        await database.OpenAnother();

        Assert.Equal(
            before,
            await database.Row(
                "SELECT string_agg(version || ' ' || applied_at, ', ') FROM telemetry.telemetry_schema"));
    }

    [Fact]
    public async Task Of_many_processes_that_start_at_once_one_migrates()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        var options = new PostgresStoreOptions { ConnectionString = database.ConnectionString };

        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            _ => PostgresStore.OpenAsync(options, TimeProvider.System, default)));

        Assert.Equal(
            $"{MigrationRunner.Version}", await database.Row("SELECT count(*) FROM telemetry.telemetry_schema"));
        foreach (var store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task Newer_database_is_refused_with_both_versions_named()
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await database.Execute("INSERT INTO telemetry.telemetry_schema VALUES (777, now(), 'later')");

        var e = await Assert.ThrowsAsync<StoreException>(database.OpenAnother);

        Assert.Contains("777", e.Message, StringComparison.Ordinal);
        Assert.Contains($"version {MigrationRunner.Version} ", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsDataFault);
    }

    [Fact]
    public async Task Without_leave_to_migrate_an_empty_database_is_refused_and_stays_empty()
    {
        await using var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        var options = new PostgresStoreOptions { ConnectionString = database.ConnectionString, Migrate = false };

        await Assert.ThrowsAsync<StoreException>(() => database.OpenStore(options));

        Assert.Equal("0", await database.Row("SELECT count(*) FROM pg_namespace WHERE nspname = 'telemetry'"));
        await database.OpenAnother();
        await database.OpenStore(options);
    }

    [Fact]
    public async Task Database_that_is_not_there_is_an_error_of_the_store()
    {
        var options = new PostgresStoreOptions { ConnectionString = $"{fixture.ConnectionString};Database=nowhere" };

        var e = await Assert.ThrowsAsync<StoreException>(
            () => PostgresStore.OpenAsync(options, TimeProvider.System, default));

        Assert.Contains("3D000", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsDataFault);
    }
}
