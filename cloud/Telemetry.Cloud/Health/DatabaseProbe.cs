using Microsoft.Extensions.Logging;
using Npgsql;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Cloud.Health;

/// <summary>
/// Asks the database every second whether it answers, on a connection of its own, so that readiness and the log know it
/// within seconds, whatever the others wait for. They tell it of their errors too: what they count while it is out of
/// reach is said once, when it is back.
/// </summary>
internal sealed class DatabaseProbe(string connectionString, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1), AnswerWithin = TimeSpan.FromSeconds(3);

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false,
        Timeout = (int)AnswerWithin.TotalSeconds,
        CommandTimeout = (int)AnswerWithin.TotalSeconds,
    }.ConnectionString;

    private NpgsqlConnection? _connection;

    /// <summary>What is known of it.</summary>
    public ReportedFailure Reach { get; } = new(
        "The database cannot be reached", "The database was reached again", time, logger);

    /// <summary>Asks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await AskAsync(cancellationToken);
                await Task.Delay(Every, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
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

    private async Task AskAsync(CancellationToken cancellationToken)
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
            Reach.Worked();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Reach.Failed($"it has not answered within {AnswerWithin.TotalSeconds:0} s");
            await DisposeAsync();
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e) || e is InvalidOperationException)
        {
            Reach.Failed(e.Message);
            await DisposeAsync();
        }
    }
}
