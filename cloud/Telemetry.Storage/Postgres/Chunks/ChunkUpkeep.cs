using System.Globalization;
using Npgsql;
using Telemetry.Storage.Postgres.Maintenance;

namespace Telemetry.Storage.Postgres.Chunks;

/// <summary>
/// TimescaleDB only. Keeps the open chunk of each hypertable small by the length of new chunks, and turns chunks that
/// have closed into what answers fast: the columnstore with the Community edition, an index with the other one. One
/// chunk at a time, each in a transaction of its own, by one process at a time. See
/// docs/adr/0053-chunks-are-converted-when-they-close.md.
/// </summary>
internal sealed class ChunkUpkeep(PostgresStoreOptions options, bool hasColumnstore, TimeProvider time)
{
    private const long AdvisoryLock = 0x7465_6c65_6368_756e; // "telechun"

    /// <summary>The table of readings: the length of its chunks follows the option.</summary>
    private const string Readings = "reading";

    /// <summary>Chunks of parts of windows may be so much larger: they have an index while they are open.</summary>
    private const int PartsFactor = 4;

    /// <summary>The most chunks of one call: then it looks again whether a newer one has closed.</summary>
    private const int ChunksAtOnce = 8;

    private readonly ChunkConversion _conversion = new(options, time);
    private readonly Dictionary<string, long> _left = [];
    private readonly UpkeepSession _session = new(
        options,
        new UpkeepWork(
            "convert chunks", AdvisoryLock, options.IndexingTimeout, options.IndexingPercent, "maintenance_work_mem"),
        time);

    /// <summary>
    /// Sets the length of new chunks, and converts or indexes the chunks that are due. Does nothing while another
    /// process does it. A chunk that a query or a commit holds for long is tried again later.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        _session.RunAsync(connection => LookAsync(connection, cancellationToken), cancellationToken);

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var chunks = await ChunkQueries.ReadAsync(connection, cancellationToken);
        foreach (var gone in _left.Keys.Except(chunks.Select(chunk => chunk.Name)).ToList())
        {
            _left.Remove(gone);
        }

        await SetLengthsAsync(connection, chunks, cancellationToken);
        var closed = time.GetUtcNow().UtcDateTime - options.ChunkGrace;
        var indexes = new ChunkIndexes(connection);
        var due = hasColumnstore ? _conversion.Due(chunks, closed)
            : await indexes.DueAsync(chunks, closed, cancellationToken);
        foreach (var chunk in due.Where(chunk => !WasLeft(chunk)).Take(ChunksAtOnce))
        {
            var start = time.GetTimestamp();
            await LeaveIfLockedAsync(chunk, () => hasColumnstore
                ? _conversion.ConvertAsync(connection, chunk, cancellationToken)
                : indexes.BuildAsync(chunk, cancellationToken));
            await _session.PauseAsync(start, cancellationToken);
        }
    }

    private async Task SetLengthsAsync(
        NpgsqlConnection connection, IReadOnlyList<Chunk> chunks, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        foreach (var (table, present) in await ChunkQueries.ReadLengthsAsync(connection, cancellationToken))
        {
            var own = chunks.Where(chunk => chunk.Table == table).ToList();
            var open = own.FirstOrDefault(chunk => chunk.From <= now && now < chunk.To);
            var next = ChunkLengths.Next(
                present, open is null ? null : (open.To - open.From, now - open.From), ChunkRates.Greatest(own, now),
                options.ChunkBytes * (table == Readings ? 1 : PartsFactor));
            if (next != present)
            {
                await ExecuteAsync(
                    connection,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"SELECT set_chunk_time_interval('telemetry.{table}', interval '{next.TotalHours} hours')"),
                    cancellationToken);
            }
        }
    }

    private bool WasLeft(Chunk chunk) =>
        _left.TryGetValue(chunk.Name, out var at) && time.GetElapsedTime(at) < options.ChunkQuiet;

    // A commit or a query holds it for long; or it was dropped, or its form has changed, since the look.
    private async Task LeaveIfLockedAsync(Chunk chunk, Func<Task> work)
    {
        _left.Remove(chunk.Name);
        try
        {
            await work();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable
            or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UndefinedTable
            or PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            _left[chunk.Name] = time.GetTimestamp();
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
