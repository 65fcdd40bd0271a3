using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Readings;

namespace Telemetry.Cloud.Storage.Postgres.DeadLetters;

/// <summary>
/// Moves a letter's readings from rejected to stored in what the frame register has of its frame: the frame's row; the
/// sum of the day that the row went into; or a new row, where the database had refused one.
/// </summary>
internal static class RegisterMove
{
    private const string FrameSql = """
        SELECT hash_sum FROM telemetry.frame_register
        WHERE gateway = $1 AND epoch = $2 AND lane = $3 AND first = $4 AND count = $5
        """;

    // Before, nothing of it was stored: then its times say nothing.
    private const string MoveSql = """
        UPDATE telemetry.frame_register
        SET stored = stored + $6, rejected = rejected - $7, dropped = dropped + $8, hash_sum = $9,
            time_first = CASE WHEN stored = 0 THEN $10 ELSE least(time_first, $10) END,
            time_last = CASE WHEN stored = 0 THEN $11 ELSE greatest(time_last, $11) END
        WHERE gateway = $1 AND epoch = $2 AND lane = $3 AND first = $4 AND count = $5
        """;

    private const string DaySql =
        "SELECT hash_sum FROM telemetry.frame_register_day WHERE gateway = $1 AND day = ($2 AT TIME ZONE 'UTC')::date";

    private const string MoveDaySql = """
        UPDATE telemetry.frame_register_day
        SET stored = stored + $3, rejected = rejected - $4, dropped = dropped + $5, hash_sum = $6
        WHERE gateway = $1 AND day = ($2 AT TIME ZONE 'UTC')::date
        """;

    public static async Task WriteAsync(
        NpgsqlConnection connection, DeadLetterRecord record, LetterContent content,
        CancellationToken cancellationToken)
    {
        var (letter, rows) = (record.Letter, content.Readings);
        var sum = HashSum(rows);
        (object, NpgsqlDbType)[] frame =
        [
            (letter.Gateway.Value, NpgsqlDbType.Text), ((long)letter.Frame.Epoch, NpgsqlDbType.Bigint),
            ((short)letter.Frame.Lane, NpgsqlDbType.Smallint), (letter.Frame.First, NpgsqlDbType.Bigint),
            (letter.Frame.Count, NpgsqlDbType.Integer),
        ];
        (object, NpgsqlDbType)[] day =
            [(letter.Gateway.Value, NpgsqlDbType.Text), (record.StoredAt, NpgsqlDbType.TimestampTz)];
        var dropped = content.Declarations.Sum(d => (long)d.Declaration.Count);
        (object, NpgsqlDbType)[] moved =
        [
            ((long)rows.Count, NpgsqlDbType.Bigint), ((long)letter.Readings, NpgsqlDbType.Bigint), (dropped,
                NpgsqlDbType.Bigint),
        ];
        if (letter.Content == DeadLetterContent.Unregistered)
        {
            await AddAsync(connection, letter, content, Registered(letter, content, sum), cancellationToken);
            return;
        }

        if (await ScalarAsync(connection, FrameSql, frame, cancellationToken) is { } before)
        {
            (object, NpgsqlDbType)[] change =
            [
                ((long)((ulong)before + sum), NpgsqlDbType.Bigint), (Time(rows, first: true), NpgsqlDbType.TimestampTz),
                (Time(rows, first: false), NpgsqlDbType.TimestampTz),
            ];
            await ExecuteAsync(connection, MoveSql, [.. frame, .. moved, .. change], cancellationToken);
        }
        else if (await ScalarAsync(connection, DaySql, day, cancellationToken) is { } ofDay)
        {
            await ExecuteAsync(
                connection, MoveDaySql, [.. day, .. moved, ((long)((ulong)ofDay + sum), NpgsqlDbType.Bigint)],
                cancellationToken);
        }
        else
        {
            throw new StoreException(
                $"the frame register has neither frame {letter.Frame} nor its day any more", isDataFault: false,
                mayHaveCommitted: false);
        }

        if (content.Declarations.Count > 0)
        {
            await AddAsync(connection, letter, content, null, cancellationToken);
        }
    }

    private static FrameRegisterRow Registered(DeadLetterRow letter, LetterContent content, ulong sum) => new(
        letter.Gateway, letter.Frame, content.Readings.Count, 0, content.Declarations.Sum(d => d.Declaration.Count),
        ColumnValues.Micros(Time(content.Readings, first: true)),
        ColumnValues.Micros(Time(content.Readings, first: false)), content.Checksum, sum);

    private static async Task AddAsync(
        NpgsqlConnection connection, DeadLetterRow letter, LetterContent content, FrameRegisterRow? row,
        CancellationToken cancellationToken)
    {
        var commit = new StoreCommit();
        if (row is not null)
        {
            commit.Frames.Add(row);
        }

        commit.Drops.AddRange(content.Declarations.Select(
            d => new DropLedgerRow(letter.Gateway, letter.Frame, d.SeriesKey, d.Declaration)));
        await using var batch = new NpgsqlBatch(connection);
        new RegisterStatements().AddTo(batch, commit);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static ulong HashSum(ReadingRows rows)
    {
        ulong sum = 0;
        for (var row = 0; row < rows.Count; row++)
        {
            var (series, time, type, flags) = (rows.Series[row], rows.Times[row], rows.Types[row], rows.Flags[row]);
            sum += type == MetricType.Text && (flags & ReadingFlags.Null) == 0
                ? ReadingHash.OfText(series, time, flags, rows.Text(rows.Bits[row]))
                : ReadingHash.Of(series, time, type, rows.Bits[row], flags);
        }

        return sum;
    }

    private static DateTime Time(ReadingRows rows, bool first)
    {
        var found = rows.Count == 0 ? 0 : rows.Times[0];
        foreach (var time in rows.Times)
        {
            found = first ? Math.Min(found, time) : Math.Max(found, time);
        }

        return ColumnValues.Time(found);
    }

    private static async Task<long?> ScalarAsync(
        NpgsqlConnection connection, string sql, (object, NpgsqlDbType)[] parameters,
        CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync(cancellationToken) as long?;
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, (object, NpgsqlDbType)[] parameters,
        CancellationToken cancellationToken)
    {
        await using var command = Command(connection, sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(
        NpgsqlConnection connection, string sql, (object Value, NpgsqlDbType Type)[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var (value, type) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        return command;
    }
}
