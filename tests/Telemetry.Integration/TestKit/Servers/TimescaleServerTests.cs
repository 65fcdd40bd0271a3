using Npgsql;
using Telemetry.Integration.Storage.Timescale;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.TestKit.Servers;

public sealed class TimescaleServerTests(WebAssemblyTimescaleFixture fixture)
    : IClassFixture<WebAssemblyTimescaleFixture>, IAsyncLifetime
{
    private readonly List<NpgsqlConnection> _open = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var connection in _open)
        {
            await connection.DisposeAsync();
        }
    }

    [TimescaleFact]
    public async Task Connection_waits_for_the_end_of_the_transaction_of_another_one()
    {
        await Execute(await Open(), "CREATE TABLE turns (who text)");
        var (first, second) = (await Open(), await Open());
        var transaction = await first.BeginTransactionAsync();
        await Execute(first, "INSERT INTO turns VALUES ('first')");

        var waiting = Execute(second, "INSERT INTO turns VALUES ('second')");
        await Execute(first, "INSERT INTO turns VALUES ('first again')");
        Assert.False(waiting.IsCompleted);
        await transaction.CommitAsync();
        await waiting;

        Assert.Equal("first, first again, second", await Scalar(second, "SELECT string_agg(who, ', ') FROM turns"));
    }

    [TimescaleFact]
    public async Task Connection_that_ends_in_a_transaction_leaves_nothing_of_it()
    {
        var first = await Open();
        await Execute(first, "CREATE TABLE left_open (n int)");
        await first.BeginTransactionAsync();
        await Execute(first, "INSERT INTO left_open VALUES (1)");
        await first.CloseAsync();

        Assert.Equal(0L, await Scalar(await Open(), "SELECT count(*) FROM left_open"));
    }

    [TimescaleFact]
    public async Task Statements_of_two_connections_may_have_the_same_name()
    {
        var (first, second) = (await Open(), await Open());
        await using var one = new NpgsqlCommand("SELECT 1", first);
        await using var two = new NpgsqlCommand("SELECT 2", second);
        await one.PrepareAsync();
        await two.PrepareAsync();

        Assert.Equal(1, await one.ExecuteScalarAsync());
        Assert.Equal(2, await two.ExecuteScalarAsync());
        await first.CloseAsync();
        Assert.Equal(2, await two.ExecuteScalarAsync());
    }

    [TimescaleFact]
    public async Task Copy_stores_all_rows_or_none()
    {
        const int rows = 100_000;
        var connection = await Open();
        await Execute(connection, "CREATE TABLE copied (n int CHECK (n >= 0), t text)");
        await Copy(connection, rows, last: rows);
        Assert.Equal($"{rows} 5000050000", await Scalar(connection, "SELECT count(*) || ' ' || sum(n) FROM copied"));

        var refused = await Assert.ThrowsAsync<PostgresException>(() => Copy(connection, rows, last: -1));
        Assert.Equal(PostgresErrorCodes.CheckViolation, refused.SqlState);
        await using (var left = await connection.BeginBinaryImportAsync("COPY copied FROM STDIN (FORMAT binary)"))
        {
            await left.WriteRowAsync(default, 1, "never completed");
        }

        Assert.Equal((long)rows, await Scalar(connection, "SELECT count(*) FROM copied"));
    }

    [TimescaleFact]
    public async Task Test_that_a_warning_came_from_fails()
    {
        await Assert.ThrowsAnyAsync<Xunit.Sdk.EmptyException>(() => fixture.RunAsync(
            database => database.Execute("DO $$ BEGIN RAISE WARNING 'fell back'; END $$")));
        await fixture.RunAsync(database => database.Execute("DO $$ BEGIN RAISE NOTICE 'all is well'; END $$"));
    }

    private static async Task Copy(NpgsqlConnection connection, int rows, int last)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY copied FROM STDIN (FORMAT binary)");
        for (var n = 1; n < rows; n++)
        {
            await copy.WriteRowAsync(default, n, $"row {n}");
        }

        await copy.WriteRowAsync(default, last, "the last one");
        await copy.CompleteAsync();
    }

    private static async Task Execute(NpgsqlConnection connection, string sql) => await Scalar(connection, sql);

    private static async Task<object?> Scalar(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<NpgsqlConnection> Open()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(fixture.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        _open.Add(connection);
        return connection;
    }
}
