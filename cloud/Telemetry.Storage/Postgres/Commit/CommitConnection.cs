using Npgsql;
using Telemetry.Storage.Postgres.Alerts;
using Telemetry.Storage.Postgres.Ledger;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>
/// A connection on which ledger transactions run. Any error closes it for good, which rolls back the open transaction;
/// the next commit opens a new connection. One commit at a time.
/// </summary>
internal sealed class CommitConnection(PostgresStoreOptions options, ReadingTable table, DirectCompress direct)
    : IAsyncDisposable
{
    // Committed means durable, whatever the database's default is: the gateways delete on our word. And a session whose
    // owner lost power must not keep the partitions' rows locked: between statements the server's timeout ends it,
    // inside of a COPY only TCP's keep-alive does, which by default takes two hours.
    private const string SessionSql = """
        SELECT set_config('idle_in_transaction_session_timeout', $1, false),
               set_config('tcp_keepalives_idle', $2, false),
               set_config('tcp_keepalives_interval', $3, false),
               set_config('tcp_keepalives_count', '4', false),
               CASE WHEN current_setting('synchronous_commit') = 'off'
                    THEN set_config('synchronous_commit', 'on', false) END
        """;

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString)
    {
        Pooling = false,
        CommandTimeout = (int)Math.Ceiling(options.CommandTimeout.TotalSeconds),
        MaxAutoPrepare = 32,
        AutoPrepareMinUsages = 2,
        KeepAlive = 0,
        TcpKeepAlive = true,
    }.ConnectionString;

    private Session? _session;

    public async Task<CommitOutcome> CommitAsync(StoreCommit commit, CancellationToken cancellationToken)
    {
        var committing = false;
        var finished = false;
        try
        {
            var session = _session ??= new Session(
                await OpenAsync(cancellationToken),
                new ReadingStatements(table, (int)options.CommandTimeout.TotalMilliseconds, direct));
            // Not disposed on errors: closing the connection rolls back, and hides no earlier error.
            var transaction = await session.Connection.BeginTransactionAsync(cancellationToken);
            if (await WriteAsync(session, commit, cancellationToken))
            {
                committing = true;
                // Not to be cancelled: nobody would know what came of it. The command timeout bounds it.
                await transaction.CommitAsync(CancellationToken.None);
                finished = true;
                return CommitOutcome.Committed;
            }

            await transaction.RollbackAsync(cancellationToken);
            finished = true;
            return CommitOutcome.NotOwner;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("commit", e, committing);
        }
        finally
        {
            if (!finished)
            {
                await CloseAsync();
            }
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async Task<bool> WriteAsync(Session session, StoreCommit commit, CancellationToken cancellationToken)
    {
        var connection = session.Connection;
        commit.NotOwned.AddRange(
            await session.Partitions.ExecuteAsync(connection, commit.Partitions, cancellationToken));
        if (commit.NotOwned.Count > 0)
        {
            return false;
        }

        await SchemaStatements.ExecuteAsync(connection, commit.Schemas, cancellationToken);
        await using (var batch = new NpgsqlBatch(connection))
        {
            session.Ledger.AddTo(batch, commit);
            session.Register.AddTo(batch, commit);
            session.Alerts.AddTo(batch, commit);
            session.Waiting.AddTo(batch, commit);
            session.Readings.AddTo(batch, commit);
            if (batch.BatchCommands.Count > 0)
            {
                await batch.ExecuteNonQueryAsync(cancellationToken);
            }
        }

        await session.Readings.CopyAsync(connection, commit, cancellationToken);
        return true;
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(_connectionString);
        direct.Watch(connection);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(SessionSql, connection);
            command.Parameters.AddWithValue($"{(long)options.SilenceMax.TotalMilliseconds}ms");
            command.Parameters.AddWithValue($"{WholeSeconds(options.SilenceMax / 3)}");
            command.Parameters.AddWithValue($"{WholeSeconds(options.SilenceMax / 6)}");
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static long WholeSeconds(TimeSpan span) => Math.Max(1, (long)span.TotalSeconds);

    private async Task CloseAsync()
    {
        if (_session is { } session)
        {
            _session = null;
            await session.Connection.DisposeAsync();
        }
    }

    /// <summary>
    /// A connection and the statements prepared on it: prepared statements must not outlive their connection.
    /// </summary>
    private sealed class Session(NpgsqlConnection connection, ReadingStatements readings)
    {
        public NpgsqlConnection Connection { get; } = connection;

        public PartitionStatements Partitions { get; } = new();

        public LedgerStatements Ledger { get; } = new();

        public RegisterStatements Register { get; } = new();

        public AlertStatements Alerts { get; } = new();

        public WaitingStatements Waiting { get; } = new();

        public ReadingStatements Readings { get; } = readings;
    }
}
