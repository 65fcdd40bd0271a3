using Npgsql;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;

namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>
/// TimescaleDB Community: converts chunks that have closed to the columnstore, and merges late rows into converted ones
/// when no more rows come. What it remembers of chunks is lost with the process; then it waits once more.
/// <para>
/// Late rows are merged by writing the whole chunk in row form and then anew, in one transaction: so a snapshot from
/// before still sees every row. The server's own recompression does not promise that: it writes batches that such a
/// snapshot does not see, or says that no rows are left beside the columnstore, and the snapshot needs them. Readers
/// wait meanwhile, so large chunks are not merged.
/// </para>
/// </summary>
internal sealed class ChunkConversion(PostgresStoreOptions options, TimeProvider time)
{
    /// <summary>How many times the quiet time a chunk waits at most while rows go on to come.</summary>
    private const int QuietTimesMax = 12;

    /// <summary>Chunks of more than so many times the size wanted keep what came late beside the columnstore.</summary>
    private const int TimesWantedMax = 8;

    private readonly Dictionary<string, (long Bytes, long Since, long First)> _changed = [];

    /// <summary>
    /// The chunks to convert now, in the order of the list: closed ones in row form, and changed ones, unless they are
    /// large, in which nothing has changed for a while, or which wait for that for long.
    /// </summary>
    public IReadOnlyList<Chunk> Due(IReadOnlyList<Chunk> chunks, DateTime closed)
    {
        var changed = chunks.Where(chunk => chunk.IsChanged).Select(chunk => chunk.Name).ToHashSet();
        foreach (var name in _changed.Keys.Where(name => !changed.Contains(name)).ToList())
        {
            _changed.Remove(name);
        }

        return [.. chunks.Where(chunk => !chunk.IsFrozen && chunk.To <= closed && (chunk.IsRows || IsQuiet(chunk)))];
    }

    /// <summary>Converts a chunk, or merges into it what came later.</summary>
    public async Task ConvertAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken cancellationToken)
    {
        _changed.Remove(chunk.Name);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync(
            connection, $"SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms'",
            cancellationToken);
        if (chunk.Table == ChunkQueries.Parts)
        {
            // A merge reads the chunk and then deletes from it: each would wait for the other.
            await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({PartMerging.StepLock})", cancellationToken);
        }

        if (!chunk.IsRows)
        {
            await ExecuteAsync(connection, $"SELECT decompress_chunk('{chunk.Name}')", cancellationToken);
        }

        await ExecuteAsync(connection, $"SELECT compress_chunk('{chunk.Name}')", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // Its size stands for its content: rows that fit the last page are seen when they are merged, in the next turn.
    private bool IsQuiet(Chunk chunk)
    {
        if (!chunk.IsChanged || chunk.BytesAsRows > TimesWantedMax * options.ChunkBytes)
        {
            return false;
        }

        var (now, bytes) = (time.GetTimestamp(), chunk.RowBytes + chunk.ColumnBytes);
        if (!_changed.TryGetValue(chunk.Name, out var seen))
        {
            seen = _changed[chunk.Name] = (bytes, now, now);
        }
        else if (seen.Bytes != bytes)
        {
            seen = _changed[chunk.Name] = (bytes, now, seen.First);
        }

        return time.GetElapsedTime(seen.Since) >= options.ChunkQuiet
            || time.GetElapsedTime(seen.First) >= QuietTimesMax * options.ChunkQuiet;
    }
}
