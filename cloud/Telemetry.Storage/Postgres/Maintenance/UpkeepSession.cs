using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>
/// Runs one kind of background upkeep: on a connection of its own, by one process at a time, and between its steps it
/// leaves the server to others.
/// </summary>
/// <param name="options">The connection and its user.</param>
/// <param name="work">Which upkeep.</param>
/// <param name="time">The clock of the pauses.</param>
internal sealed class UpkeepSession(PostgresStoreOptions options, UpkeepWork work, TimeProvider time)
{
    /// <summary>The longest pause between two steps; less than the session may be silent.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(20);

    // The lock belongs to the session: a process that is frozen must not keep it.
    private const string SessionSql = """
        SET idle_session_timeout = '60s';
        SET idle_in_transaction_session_timeout = '60s'
        """;

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString)
    {
        Pooling = false,
        CommandTimeout = (int)work.Timeout.TotalSeconds,
        TcpKeepAlive = true,
    }.ConnectionString;

    /// <summary>Does nothing while another process does this work.</summary>
    public Task RunAsync(Func<NpgsqlConnection, Task> run, CancellationToken cancellationToken) => RunAsync(
        async connection =>
        {
            await run(connection);
            return run;
        },
        cancellationToken);

    /// <summary>The same of work that says what it did; null while another process does it.</summary>
    public async Task<T?> RunAsync<T>(Func<NpgsqlConnection, Task<T>> run, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            await using var connection = new NpgsqlConnection(_connectionString);
            await connection.OpenAsync(cancellationToken);
            await ExecuteAsync(connection, SessionSql, cancellationToken);
            if (work.MemorySetting is { } setting)
            {
                await ExecuteAsync(connection, $"SET {setting} = '64MB'", cancellationToken);
            }

            var taken = await ExecuteAsync(connection, $"SELECT pg_try_advisory_lock({work.Lock})", cancellationToken);
            if (taken is not true)
            {
                return null;
            }

            var done = await run(connection);
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({work.Lock})", cancellationToken);
            return done;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From(work.Name, e);
        }
    }

    /// <summary>After a step that began then: leaves the server to others for the rest of the time.</summary>
    public Task PauseAsync(long since, CancellationToken cancellationToken)
    {
        var pause = time.GetElapsedTime(since) * ((100.0 / work.Percent) - 1);
        return Task.Delay(pause < PauseMax ? pause : PauseMax, time, cancellationToken);
    }

    private static async Task<object?> ExecuteAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
