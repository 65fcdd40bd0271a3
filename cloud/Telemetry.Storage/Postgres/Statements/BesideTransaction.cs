using Npgsql;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>
/// Begins every transaction except the owners' commits. The server ends such a transaction if its client sends nothing
/// for a while between two statements: a frozen process must not hold forever what others wait for.
/// </summary>
internal static class BesideTransaction
{
    /// <summary>How long the client may send nothing. Between two statements it has almost nothing to do.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Begins a transaction for an operator's command or a search; disposing it without a commit rolls it back.
    /// </summary>
    public static Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        BeginAsync(connection, SilenceMax, cancellationToken);

    /// <summary>The same with another time limit.</summary>
    public static async Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection, TimeSpan silenceMax, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(
                $"SET LOCAL idle_in_transaction_session_timeout = '{(long)silenceMax.TotalMilliseconds}ms'",
                connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }
}
