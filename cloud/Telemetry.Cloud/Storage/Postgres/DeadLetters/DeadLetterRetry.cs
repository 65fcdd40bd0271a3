using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Cloud.Processing;
using Telemetry.Model.Readings;

namespace Telemetry.Cloud.Storage.Postgres.DeadLetters;

/// <summary>
/// What became of a dead letter: its readings are stored, or nothing has changed and <paramref name="Why"/> says why.
/// </summary>
internal sealed record RetryOutcome(long Id, int Stored, string? Why);

/// <summary>
/// Moves dead letters from rejected to stored. Letters are read and decoded before anything is locked; then, in ONE
/// transaction under the lock of the partition's row: the readings, the frame register (or the day's sum that its row
/// went into), the gateway's totals, the letters' marks, and one more commit of the partition, so that an owner at work
/// finds its memory out of date, gives it up and loads it again. It holds the owner up for no longer than a transaction
/// of the owner's own takes. Letters that the database refuses together are tried one by one.
/// </summary>
internal sealed class DeadLetterRetry(NpgsqlDataSource database, ReadingCheck check)
{
    /// <summary>The most letters that are read at once.</summary>
    public const int LettersMax = 500;

    /// <summary>The most readings of one transaction, as the owner's own; one letter may have more alone.</summary>
    public const int ReadingsMax = 32 * 1024;

    private const string LockSql = """
        SELECT p.partition FROM telemetry.partition p JOIN telemetry.gateway g ON g.partition = p.partition
        WHERE g.gateway = $1 FOR UPDATE OF p
        """;

    private const string MoveSql = """
        UPDATE telemetry.gateway
        SET stored = stored + $2, rejected = rejected - $3, dropped = dropped + $4, changed_at = now()
        WHERE gateway = $1
        """;

    private const string LetterSql =
        "SELECT id FROM telemetry.dead_letter WHERE id = ANY($1) AND retried_at IS NULL FOR UPDATE";

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

            var together = found.GetRange(start, end - start);
            start = end;
            if (await TryAsync(gateway, together, cancellationToken) is { } outcomes)
            {
                foreach (var outcome in outcomes)
                {
                    yield return outcome;
                }

                continue;
            }

            foreach (var record in together)
            {
                yield return (await TryAsync(gateway, [record], cancellationToken))![0];
            }
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

    /// <summary>Null when the database refuses these together; it says why of one alone.</summary>
    private async Task<List<RetryOutcome>?> TryAsync(
        string gateway, List<DeadLetterRecord> records, CancellationToken cancellationToken)
    {
        try
        {
            return await MoveAsync(gateway, records, cancellationToken);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            var error = StoreErrors.From("retry dead letters", e);
            return !error.IsDataFault ? throw error
                : records.Count == 1 ? [new RetryOutcome(records[0].Id, 0, error.Message)]
                : null;
        }
    }

    private async Task<List<RetryOutcome>> MoveAsync(
        string gateway, List<DeadLetterRecord> records, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var outcomes = new List<RetryOutcome>();
        var decoded = new List<(DeadLetterRecord Record, LetterContent Content)>();
        foreach (var record in records)
        {
            var content = await LetterContent.ReadAsync(connection, record.Letter, cancellationToken);
            var why = record.RetriedAt is { } at
                ? $"it was stored at {at:yyyy-MM-dd HH:mm:ss}Z already"
                : Why(record.Letter, content);
            if (why is null)
            {
                decoded.Add((record, content));
            }
            else
            {
                outcomes.Add(new RetryOutcome(record.Id, 0, why));
            }
        }

        if (decoded.Count > 0)
        {
            outcomes.AddRange(await MoveAsync(connection, gateway, decoded, cancellationToken));
        }

        return outcomes;
    }

    private static async Task<IEnumerable<RetryOutcome>> MoveAsync(
        NpgsqlConnection connection, string gateway, List<(DeadLetterRecord Record, LetterContent Content)> decoded,
        CancellationToken cancellationToken)
    {
        // Disposed without a commit: rolled back.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await FrameRegisterUpkeep.LockAsync(connection, cancellationToken);
        await using var locking = Command(connection, LockSql, (gateway, NpgsqlDbType.Text));
        if (await locking.ExecuteScalarAsync(cancellationToken) is not int partition)
        {
            return decoded.Select(d => new RetryOutcome(d.Record.Id, 0, $"gateway {gateway} is in no book"));
        }

        var still = await LockLettersAsync(connection, decoded.Select(d => d.Record.Id), cancellationToken);
        var moved = decoded.FindAll(d => still.Contains(d.Record.Id));
        if (moved.Count > 0)
        {
            await StoreAsync(connection, moved, cancellationToken);
            await BookAsync(connection, gateway, partition, moved, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return decoded.Select(d => still.Contains(d.Record.Id)
            ? new RetryOutcome(d.Record.Id, d.Content.Readings.Count, null)
            : new RetryOutcome(d.Record.Id, 0, "it was stored or removed meanwhile"));
    }

    /// <summary>
    /// Locks letters, whose content never changes, and gives those that are still there and not stored.
    /// </summary>
    private static async Task<HashSet<long>> LockLettersAsync(
        NpgsqlConnection connection, IEnumerable<long> ids, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection, LetterSql, (ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint));
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
            var isText = rows.Types[row] == MetricType.Text && (rows.Flags[row] & ReadingFlags.Null) == 0;
            if (check.Fault(rows.Times[row], isText ? rows.Text(rows.Bits[row]) : default) is { } fault)
            {
                return check.Describe(fault, rows.Times[row]);
            }
        }

        return null;
    }

    private static async Task StoreAsync(
        NpgsqlConnection connection, List<(DeadLetterRecord Record, LetterContent Content)> moved,
        CancellationToken cancellationToken)
    {
        var encoder = new ReadingEncoder();
        foreach (var (record, content) in moved)
        {
            // Disposed only when all was sent: to dispose it ends the COPY as if it were whole.
            var copy = await connection.BeginRawBinaryCopyAsync(ReadingEncoder.CopySql, cancellationToken);
            encoder.Begin();
            while (encoder.Next(content.Readings) is { IsEmpty: false } chunk)
            {
                await copy.WriteAsync(chunk, cancellationToken);
            }

            await copy.DisposeAsync();
            await RegisterMove.WriteAsync(connection, record, content, cancellationToken);
        }
    }

    private static async Task BookAsync(
        NpgsqlConnection connection, string gateway, int partition,
        List<(DeadLetterRecord Record, LetterContent Content)> moved, CancellationToken cancellationToken)
    {
        await using var move = Command(
            connection,
            MoveSql,
            (gateway, NpgsqlDbType.Text),
            (moved.Sum(m => (long)m.Content.Readings.Count), NpgsqlDbType.Bigint),
            (moved.Sum(m => (long)m.Record.Letter.Readings), NpgsqlDbType.Bigint),
            (moved.Sum(m => m.Content.Declarations.Sum(d => (long)d.Declaration.Count)), NpgsqlDbType.Bigint));
        await move.ExecuteNonQueryAsync(cancellationToken);
        await using var mark = Command(
            connection, MarkSql, (moved.Select(m => m.Record.Id).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint));
        await mark.ExecuteNonQueryAsync(cancellationToken);
        await using var count = Command(connection, CountSql, (partition, NpgsqlDbType.Integer));
        await count.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(
        NpgsqlConnection connection, string sql, params ReadOnlySpan<(object Value, NpgsqlDbType Type)> parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var (value, type) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        return command;
    }
}
