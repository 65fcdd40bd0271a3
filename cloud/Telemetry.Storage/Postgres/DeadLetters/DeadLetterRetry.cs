using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// The outcome for a dead letter: its readings are stored, or nothing has changed and <paramref name="Why"/> tells the
/// reason.
/// </summary>
public sealed record RetryOutcome(long Id, int Stored, string? Why);

/// <summary>
/// Moves dead letters from rejected to stored. Letters are read and decoded before anything is locked. Then one
/// transaction under the lock of the partition's row writes the readings with the parts of their windows, the frame
/// register (or the sum of the day that contains its row), the gateway's totals, the letters' marks, and one more
/// commit of the partition, so that a working owner finds its memory out of date, discards it and loads it again. It
/// takes a handful of round trips for any number of letters, so the owner is delayed no longer than by a transaction of
/// its own. Letters that the database refuses together are tried again in halves: about 2 log2 n transactions for each
/// bad letter of n. Half of those commit, and only they make the owner load its memory again.
/// </summary>
public sealed class DeadLetterRetry(NpgsqlDataSource database, ReadingCheck check)
{
    /// <summary>The most letters that are read together.</summary>
    public const int LettersMax = 500;

    /// <summary>The most readings of one transaction, as for the owner's own; a single letter may have more.</summary>
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
    /// What each transaction adds to the audit, by the number of readings that it stores; null adds nothing.
    /// </summary>
    internal Func<long, OperatorAct>? Audit { get; init; }

    /// <summary>
    /// Retries letters of one gateway, at most <see cref="LettersMax"/>; every returned outcome is committed. Throws
    /// <see cref="StoreException"/> when the database fails.
    /// </summary>
    public async IAsyncEnumerable<RetryOutcome> RunAsync(
        string gateway, IReadOnlyList<long> ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = await FindAsync(ids, cancellationToken);
        foreach (var missing in ids.Except(found.Select(record => record.Id)))
        {
            yield return new RetryOutcome(missing, 0, "not the id of a dead letter");
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

    // Tries all of them together; if they are refused, tries each half, the first half first.
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
            return [.. await new DeadLetterReader(database).FindAsync(ids, cancellationToken)];
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("read dead letters", e);
        }
    }

    // Leaves out the letters that certainly cannot be stored, with the reason.
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

    /// <summary>
    /// Returns null when the database refuses these letters together; the reason when it refuses a single one.
    /// </summary>
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

    private async Task<IEnumerable<RetryOutcome>> MoveAsync(
        NpgsqlConnection connection, string gateway, List<Letter> letters, CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        // Lock the letters first: another command may have locked them, and a partition that is held during that wait
        // would stop. While this transaction waits for its turn it holds nothing else that others need, except the
        // rollup's lock.
        var still = await LockLettersAsync(connection, letters.Select(l => l.Record.Id), cancellationToken);
        await FrameRegisterRollupStatements.LockAsync(connection, cancellationToken);
        if (await PartitionLock.TakeTurnAsync(connection, gateway, cancellationToken) is not { } partition)
        {
            return letters.Select(l => new RetryOutcome(l.Record.Id, 0, $"gateway {gateway} is not in the books"));
        }

        var moved = letters.FindAll(l => still.Contains(l.Record.Id));
        if (moved.Count > 0)
        {
            await RetriedReadings.StoreAsync(
                connection, gateway, moved.ConvertAll(l => (l.Record.Letter.Frame, l.Content)), cancellationToken);
            await RegisterAsync(connection, gateway, moved, cancellationToken);
            await BookAsync(connection, gateway, partition, moved, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return letters.Select(l => still.Contains(l.Record.Id)
            ? new RetryOutcome(l.Record.Id, l.Content.Readings.Count, null)
            : new RetryOutcome(l.Record.Id, 0, "it was stored or removed meanwhile"));
    }

    /// <summary>
    /// Locks letters, whose content never changes. Returns those that still exist and are not stored.
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

    /// <summary>Why a letter certainly cannot be stored; null when it should be tried.</summary>
    private string? Why(DeadLetterRow letter, LetterContent content)
    {
        if (letter.Readings == 0)
        {
            return letter.Reason == DeadLetterReason.Fork
                ? "its range is settled with other content, so it is not in the books"
                : "it is not in the books: there is nothing to store";
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

    private static Task RegisterAsync(
        NpgsqlConnection connection, string gateway, List<Letter> moved, CancellationToken cancellationToken)
    {
        var register = new RegisterMove();
        moved.ForEach(l => register.Add(l.Record, l.Content));
        return register.WriteAsync(connection, gateway, cancellationToken);
    }

    private async Task BookAsync(
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
        Audit?.Invoke(moved.Sum(l => (long)l.Content.Readings.Count)).AddTo(batch);
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

    /// <summary>A letter that should be tried.</summary>
    private sealed record Letter(DeadLetterRecord Record, LetterContent Content);
}
