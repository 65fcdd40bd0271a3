using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>
/// Asks the database whether it answers, on a connection of its own, so that the answer does not depend on what others
/// wait for. One caller at a time.
/// </summary>
public sealed class DatabaseProbe(string connectionString) : IAsyncDisposable
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(3);

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        Timeout = (int)AnswerWithin.TotalSeconds,
        CommandTimeout = (int)AnswerWithin.TotalSeconds,
    }.ConnectionString;

    private NpgsqlConnection? _connection;

    /// <summary>
    /// Asks once. Throws <see cref="StoreException"/> when there is no answer; the next call connects again.
    /// </summary>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerWithin);
        try
        {
            if (_connection is null)
            {
                _connection = new NpgsqlConnection(_connectionString);
                await _connection.OpenAsync(limit.Token);
            }

            await using var command = new NpgsqlCommand("SELECT 1", _connection);
            await command.ExecuteScalarAsync(limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw await NoAnswerAsync($"it has not answered within {AnswerWithin.TotalSeconds:0} s", e);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e) || e is InvalidOperationException)
        {
            throw await NoAnswerAsync(e.Message, e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }

    private async Task<StoreException> NoAnswerAsync(string why, Exception e)
    {
        await DisposeAsync();
        return new StoreException(why, isDataFault: false, mayHaveCommitted: false, e) { IsUnreachable = true };
    }
}
