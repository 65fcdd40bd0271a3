using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Readings;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// What became of a dead letter: its readings are stored, or nothing has changed and <paramref name="Why"/> says why.
/// </summary>
public sealed record RetryOutcome(long Id, int Stored, string? Why);

/// <summary>
/// Moves dead letters from rejected to stored. Letters are read and decoded before anything is locked; then, in ONE
/// transaction under the lock of the partition's row: the readings in one COPY, the frame register (or the day's sum
/// that its row went into), the gateway's totals, the letters' marks, and one more commit of the partition, so that an
/// owner at work finds its memory out of date, gives it up and loads it again. However many letters they are, it is a
/// handful of round trips, so the owner is held up for no longer than a transaction of its own takes. What the database
/// refuses together is tried again in halves: about 2 log2 n transactions for each bad letter of n. Half of those go
/// through, and they alone cost the owner its memory.
/// </summary>
public sealed class DeadLetterRetry(NpgsqlDataSource database, ReadingCheck check)
{
    /// <summary>The most letters that are read at once.</summary>
    public const int LettersMax = 500;

    /// <summary>The most readings of one transaction, as the owner's own; one letter may have more alone.</summary>
    public const int ReadingsMax = 32 * 1024;

    private const string MoveSql = """
        UPDATE telemetry.gateway
        SET stored = stored + $2, rejected = rejected - $3, dropped = dropped + $4, changed_at = now()
        WHERE gateway = $1
        """;

    private const string LetterSql =
        "SELECT id FROM telemetry.dead_letter WHERE id = ANY($1) AND retried_at IS NULL ORDER BY id FOR UPDATE";

    private const string CountSql = "UPDATE telemetry.partition SET commits = commits + 1 WHERE partition = $1";
    private const string MarkSql = "UPDATE telemetry.dead_letter SET retried_at = now() WHERE id = ANY($1)";

    /// <summary>
    /// Retries letters of one gateway, at most <see cref="LettersMax"/>; what is given out is committed. Throws
    /// <see cref="StoreException"/> when the database fails.
    /// </summary>
    public async IAsyncEnumerable<RetryOutcome> RunAsync(
        string gateway, IReadOnlyList<long> ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = await FindAsync(ids, cancellationToken);
        foreach (var missing in ids.Except(found.Select(record => record.Id)))
        {
            yield return new RetryOutcome(missing, 0, "there is none of this id");
        }

        for (var start = 0; start < found.Count;)
        {
            var end = start + 1;
            for (long readings = found[start].Letter.Readings; end < found.Count; end++)
            {
                readings += found[end].Letter.Readings;
                if (readings > ReadingsMax)
                {
                    break;
                }
            }

            var (letters, unchanged) = await ReadAsync(found.GetRange(start, end - start), cancellationToken);
            start = end;
            foreach (var outcome in unchanged)
            {
                yield return outcome;
            }

            await foreach (var outcome in HalvingAsync(gateway, letters, cancellationToken))
            {
                yield return outcome;
            }
        }
    }

    // Tries all of them; what is refused together, its halves, the first one first.
    private async IAsyncEnumerable<RetryOutcome> HalvingAsync(
        string gateway, List<Letter> letters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var left = new Stack<List<Letter>>();
        if (letters.Count > 0)
        {
            left.Push(letters);
        }

        while (left.TryPop(out var together))
        {
            if (await TryAsync(gateway, together, cancellationToken) is { } outcomes)
            {
                foreach (var outcome in outcomes)
                {
                    yield return outcome;
                }

                continue;
            }

            var half = together.Count / 2;
            left.Push(together[half..]);
            left.Push(together[..half]);
        }
    }

    private async Task<List<DeadLetterRecord>> FindAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            return [.. await DeadLetterReader.FindAsync(connection, ids, cancellationToken)];
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("read dead letters", e);
        }
    }

    // What can be known not to go through is left out, and says why.
    private async Task<(List<Letter> Letters, List<RetryOutcome> Unchanged)> ReadAsync(
        List<DeadLetterRecord> records, CancellationToken cancellationToken)
    {
        var (letters, unchanged) = (new List<Letter>(), new List<RetryOutcome>());
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var schemas = new LetterSchemas(connection, records[0].Letter.Gateway);
            foreach (var record in records)
            {
                var content = await LetterContent.ReadAsync(record.Letter, schemas, cancellationToken);
                var why = record.RetriedAt is { } at
                    ? $"it was stored at {at:yyyy-MM-dd HH:mm:ss}Z already"
                    : Why(record.Letter, content);
                if (why is null)
                {
                    letters.Add(new Letter(record, content));
                }
                else
                {
                    unchanged.Add(new RetryOutcome(record.Id, 0, why));
                }
            }
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("decode dead letters", e);
        }

        return (letters, unchanged);
    }

    /// <summary>Null when the database refuses these together; it says why of one alone.</summary>
    private async Task<IEnumerable<RetryOutcome>?> TryAsync(
        string gateway, List<Letter> letters, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            return await MoveAsync(connection, gateway, letters, cancellationToken);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            var error = StoreErrors.From("retry dead letters", e);
            return !error.IsDataFault ? throw error
                : letters.Count == 1 ? [new RetryOutcome(letters[0].Record.Id, 0, error.Message)]
                : null;
        }
    }

    private static async Task<IEnumerable<RetryOutcome>> MoveAsync(
        NpgsqlConnection connection, string gateway, List<Letter> letters, CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        // The letters first: another command may have them, and a partition that is held meanwhile stands still. While
        // it waits for its turn it holds nothing else that others need, but for the upkeep's lock.
        var still = await LockLettersAsync(connection, letters.Select(l => l.Record.Id), cancellationToken);
        await FrameRegisterRollupStatements.LockAsync(connection, cancellationToken);
        if (await PartitionLock.TakeTurnAsync(connection, gateway, cancellationToken) is not { } partition)
        {
            return letters.Select(l => new RetryOutcome(l.Record.Id, 0, $"gateway {gateway} is in no book"));
        }

        var moved = letters.FindAll(l => still.Contains(l.Record.Id));
        if (moved.Count > 0)
        {
            await StoreAsync(connection, moved, cancellationToken);
            await RegisterAsync(connection, gateway, moved, cancellationToken);
            await BookAsync(connection, gateway, partition, moved, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return letters.Select(l => still.Contains(l.Record.Id)
            ? new RetryOutcome(l.Record.Id, l.Content.Readings.Count, null)
            : new RetryOutcome(l.Record.Id, 0, "it was stored or removed meanwhile"));
    }

    /// <summary>
    /// Locks letters, whose content never changes, and gives those that are still there and not stored.
    /// </summary>
    private static async Task<HashSet<long>> LockLettersAsync(
        NpgsqlConnection connection, IEnumerable<long> ids, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection, LetterSql, ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var still = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken))
        {
            still.Add(reader.GetInt64(0));
        }

        return still;
    }

    /// <summary>Why a letter can be known not to go through; null when it is worth a try.</summary>
    private string? Why(DeadLetterRow letter, LetterContent content)
    {
        if (letter.Readings == 0)
        {
            return letter.Reason == DeadLetterReason.Fork
                ? "its range is settled with other content, so it is in no book"
                : "it is in no book: there is nothing to store";
        }

        if (content.Unreadable is { } unreadable)
        {
            return unreadable;
        }

        var rows = content.Readings;
        for (var row = 0; row < rows.Count; row++)
        {
            if (check.Fault(rows.Times[row], rows.IsText(row) ? rows.Text(rows.Bits[row]) : default) is { } fault)
            {
                return check.Describe(fault, rows.Times[row]);
            }
        }

        return null;
    }

    private static async Task StoreAsync(
        NpgsqlConnection connection, List<Letter> moved, CancellationToken cancellationToken)
    {
        var rows = new ReadingBuffer();
        moved.ForEach(l => rows.AddAll(l.Content.Readings));

        await NumberAsync(connection, rows, cancellationToken);
        var encoder = new ReadingEncoder((await ReadingTable.FindAsync(connection, cancellationToken)).HasDevice);

        // Disposed only when all was sent: to dispose it ends the COPY as if it were whole.
        var copy = await connection.BeginRawBinaryCopyAsync(encoder.CopySql, cancellationToken);
        encoder.Begin();
        while (encoder.Next(rows) is { IsEmpty: false } chunk)
        {
            await copy.WriteAsync(chunk, cancellationToken);
        }

        await copy.DisposeAsync();
    }

    // The database refused some of these series when they were registered. Asked for each time: a transaction that was
    // rolled back has taken their numbers back.
    private static Task NumberAsync(NpgsqlConnection connection, ReadingBuffer rows, CancellationToken cancellationToken)
    {
        var series = new HashSet<SeriesEntry>();
        foreach (var entry in rows.Series)
        {
            series.Add(entry);
        }

        return SeriesStatements.RegisterAsync(connection, [.. series.Select(s => (s, false))], cancellationToken);
    }

    private static Task RegisterAsync(
        NpgsqlConnection connection, string gateway, List<Letter> moved, CancellationToken cancellationToken)
    {
        var register = new RegisterMove();
        moved.ForEach(l => register.Add(l.Record, l.Content));
        return register.WriteAsync(connection, gateway, cancellationToken);
    }

    private static async Task BookAsync(
        NpgsqlConnection connection, string gateway, int partition, List<Letter> moved,
        CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        Add(
            batch, MoveSql, (gateway, NpgsqlDbType.Text),
            (moved.Sum(l => (long)l.Content.Readings.Count), NpgsqlDbType.Bigint),
            (moved.Sum(l => (long)l.Record.Letter.Readings), NpgsqlDbType.Bigint),
            (moved.Sum(l => l.Content.Declarations.Sum(d => (long)d.Declaration.Count)), NpgsqlDbType.Bigint));
        Add(batch, MarkSql, (moved.Select(l => l.Record.Id).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint));
        Add(batch, CountSql, (partition, NpgsqlDbType.Integer));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(
        NpgsqlBatch batch, string sql, params ReadOnlySpan<(object Value, NpgsqlDbType Type)> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var (value, type) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        batch.BatchCommands.Add(command);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object value, NpgsqlDbType type)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        return command;
    }

    /// <summary>A letter that is worth a try.</summary>
    private sealed record Letter(DeadLetterRecord Record, LetterContent Content);
}
