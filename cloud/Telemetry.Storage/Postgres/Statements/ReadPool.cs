using Npgsql;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>A small pool of connections for everything that is not a commit; its errors are the store's.</summary>
internal sealed class ReadPool(NpgsqlDataSource database) : IAsyncDisposable
{
    /// <summary>Runs something on a connection; <paramref name="what"/> is for the message of an error.</summary>
    public async Task<T> RunAsync<T>(
        string what, Func<NpgsqlConnection, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            return await run(connection);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            if (e is not PostgresException { IsTransient: false })
            {
                // The other connections in the pool have most likely broken too: the next try opens a new one.
                database.Clear();
            }

            throw StoreErrors.From(what, e);
        }
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();
}
