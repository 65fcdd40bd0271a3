using Npgsql;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>
/// Begins every transaction but the owners' commits. The server ends one whose client says nothing for a while between
/// two statements: a process that is frozen must not hold for ever what others wait for.
/// </summary>
internal static class BesideTransaction
{
    /// <summary>How long the client may be silent. Between two statements it has next to nothing to do.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(5);

    /// <summary>For an operator's command or a search; disposed without a commit it is rolled back.</summary>
    public static Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        BeginAsync(connection, SilenceMax, cancellationToken);

    /// <summary>The same with another patience.</summary>
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
