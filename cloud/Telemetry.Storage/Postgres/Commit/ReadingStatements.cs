using Npgsql;
using Telemetry.Runtime;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.Storage.Postgres.Windows;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>
/// Writes the readings that a transaction stores, with the parts of their windows and the revisions of complete ones.
/// An owner's commits and the retry of dead letters store by it, so that no reading is in the database without its
/// part, except where the gateway's row says so.
/// </summary>
/// <param name="table">The shape of the table.</param>
/// <param name="timeoutMillis">How long one exchange with the server may take; null for the connection's.</param>
/// <param name="direct">What writes long runs to the columnstore; null for none.</param>
internal sealed class ReadingStatements(ReadingTable table, int? timeoutMillis = null, DirectCompress? direct = null)
{
    private readonly ReadingEncoder _readings = new(table.HasDevice, table.CopyTarget);
    private readonly PartEncoder _encoder = new();
    private readonly PartStatements _parts = new();

    /// <summary>Adds the statements that come before the rows: parts that are removed, revisions, a lock.</summary>
    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        _parts.AddTo(batch, commit);
        if (table.IsPartitioned && commit.Readings.Count > 0)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ReadingTable.LockSql));
        }
    }

    /// <summary>Writes the parts and the readings, whose series are registered.</summary>
    public async Task CopyAsync(NpgsqlConnection connection, StoreCommit commit, CancellationToken cancellationToken)
    {
        if (commit.Parts.Count > 0)
        {
            _encoder.Begin();
            await CopyAsync(
                connection, PartEncoder.CopySql, () => _encoder.Next(commit.Parts), "in-parts", cancellationToken);
            CrashPoint.Reach("after-parts");
        }

        if (commit.Readings.Count > 0)
        {
            if (direct?.Fits(commit.Readings) == true)
            {
                await using var command = new NpgsqlCommand(DirectCompress.Sql, connection);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }

            _readings.Begin(commit.Readings.HasTexts);
            await CopyAsync(
                connection, _readings.CopySql, () => _readings.Next(commit.Readings), "in-copy", cancellationToken);
            CrashPoint.Reach("after-copy");
        }
    }

    private async Task CopyAsync(
        NpgsqlConnection connection, string sql, Func<ReadOnlyMemory<byte>> next, string point,
        CancellationToken cancellationToken)
    {
        // Disposed only when everything was sent: disposing it ends the COPY as if it were complete.
        var copy = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken);
        if (timeoutMillis is { } timeout)
        {
            copy.ReadTimeout = copy.WriteTimeout = timeout;
        }

        while (next() is { IsEmpty: false } chunk)
        {
            await copy.WriteAsync(chunk, cancellationToken);
            CrashPoint.Reach(point);
        }

        await copy.DisposeAsync();
    }
}
