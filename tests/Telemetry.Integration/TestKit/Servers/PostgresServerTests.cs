using Npgsql;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.TestKit.Servers;

public sealed class PostgresServerTests
{
    public enum End
    {
        Stop,
        ImmediateStop,
        Kill,
    }

    [PostgresTheory]
    [InlineData(End.Stop)]
    [InlineData(End.ImmediateStop)]
    [InlineData(End.Kill)]
    public async Task Committed_rows_survive_every_kind_of_end_and_open_ones_do_not(End end)
    {
        await using var server = await PostgresServer.Start(new PostgresOptions { ForceToDisk = true });
        await using var session = await Open(server);
        await Execute(session, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
        await Execute(session, "BEGIN; INSERT INTO t VALUES (2)");

        await (end switch
        {
            End.Stop => server.Stop(),
            End.ImmediateStop => server.ImmediateStop(),
            _ => server.Kill(),
        });
        await server.Start();

        Assert.Equal([1], await Numbers(server));
    }

    [PostgresFact]
    public async Task Kill_ends_a_session_that_is_busy()
    {
        await using var server = await PostgresServer.Start(null);
        await using var session = await Open(server);
        var busy = Execute(session, "SELECT count(*) FROM generate_series(1, 1000000000000)");

        await server.Kill();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => busy);
        await server.Start();
    }

    [PostgresFact]
    public async Task Data_directory_can_be_put_back_to_an_earlier_copy()
    {
        await using var server = await PostgresServer.Start(null);
        await using var backups = new TemporaryFolder();
        await Execute(server, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
        await server.Stop();
        await server.CopyDataDirectory(backups.At("data"));
        await server.Start();
        await Execute(server, "INSERT INTO t VALUES (2)");
        Assert.Equal([1, 2], await Numbers(server));

        await server.Kill();
        await server.ReplaceDataDirectory(backups.At("data"));
        await server.Start();

        Assert.Equal([1], await Numbers(server));
    }

    [PostgresFact]
    public async Task Settings_are_obeyed()
    {
        await using var server = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["work_mem"] = "7MB" },
        });

        Assert.Equal("7MB", await Scalar(server, "SHOW work_mem"));
        Assert.Equal("on", await Scalar(server, "SHOW fsync"));
    }

    [PostgresFact]
    public async Task Password_is_asked_for()
    {
        await using var server = await PostgresServer.Start(null);
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "x", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);

        var e = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());

        Assert.Equal(PostgresErrorCodes.InvalidPassword, e.SqlState);
    }

    [PostgresFact]
    public async Task Nothing_is_left_behind_after_a_kill()
    {
        var server = await PostgresServer.Start(null);
        var segment = (await File.ReadAllLinesAsync(Path.Combine(server.DataDirectory, "postmaster.pid")))[6]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.Contains(segment, await SharedMemorySegments());

        await server.Kill();
        await server.DisposeAsync();

        Assert.DoesNotContain(segment, await SharedMemorySegments());
        Assert.False(Directory.Exists(Path.GetDirectoryName(server.DataDirectory)));
    }

    private static async Task<IEnumerable<string>> SharedMemorySegments() =>
        (await File.ReadAllLinesAsync("/proc/sysvipc/shm")).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private static async Task<NpgsqlConnection> Open(PostgresServer server)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false };
        var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task Execute(NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task Execute(PostgresServer server, string sql)
    {
        await using var session = await Open(server);
        await Execute(session, sql);
    }

    private static async Task<object?> Scalar(PostgresServer server, string sql)
    {
        await using var session = await Open(server);
        await using var command = new NpgsqlCommand(sql, session);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<List<int>> Numbers(PostgresServer server)
    {
        await using var session = await Open(server);
        await using var command = new NpgsqlCommand("SELECT n FROM t ORDER BY n", session);
        await using var reader = await command.ExecuteReaderAsync();
        var numbers = new List<int>();
        while (await reader.ReadAsync())
        {
            numbers.Add(reader.GetInt32(0));
        }

        return numbers;
    }
}
