using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// Moves letters' readings from rejected to stored in the frame register: in the frame's row; in the sum of the day
/// that contains the row; or as a new row, if the database had refused one. Takes one round trip for all letters, and
/// one more where days have been summed up. Holds the letters of one transaction.
/// </summary>
internal sealed class RegisterMove
{
    // Sums of hashes are modulo 2^64, stored as the same bits in a signed number.
    private const string HashSum =
        "(mod(r.hash_sum::numeric + u.hash_sum + 27670116110564327424, 18446744073709551616) - 9223372036854775808)"
        + "::bigint";

    // If nothing of a frame was stored before, its times have no meaning.
    private const string FramesSql = $"""
        UPDATE telemetry.frame_register r
        SET stored = r.stored + u.stored, rejected = r.rejected - u.rejected, dropped = r.dropped + u.dropped,
            hash_sum = {HashSum},
            time_first = CASE WHEN r.stored = 0 THEN u.time_first ELSE least(r.time_first, u.time_first) END,
            time_last = CASE WHEN r.stored = 0 THEN u.time_last ELSE greatest(r.time_last, u.time_last) END
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            u(gateway, epoch, lane, first, count, stored, rejected, dropped, hash_sum, time_first, time_last)
        WHERE r.gateway = u.gateway AND r.epoch = u.epoch AND r.lane = u.lane AND r.first = u.first
          AND r.count = u.count
        RETURNING r.epoch, r.lane, r.first, r.count
        """;

    private const string DaysSql = $"""
        UPDATE telemetry.frame_register_day r
        SET stored = r.stored + u.stored, rejected = r.rejected - u.rejected, dropped = r.dropped + u.dropped,
            hash_sum = {HashSum}
        FROM unnest($1, $2, $3, $4, $5, $6) u(gateway, day, stored, rejected, dropped, hash_sum)
        WHERE r.gateway = u.gateway AND r.day = (u.day AT TIME ZONE 'UTC')::date
        """;

    private readonly Dictionary<FrameKey, Change> _frames = [];
    private readonly StoreCommit _added = new();

    /// <summary>Adds a letter, of the same gateway as the others.</summary>
    public void Add(DeadLetterRecord record, LetterContent content)
    {
        var letter = record.Letter;
        _added.Drops.AddRange(content.Declarations.Select(
            d => new DropLedgerRow(letter.Gateway, letter.Frame, d.Series.Identity, d.Declaration)));
        var change = Change.Of(record, content);
        if (letter.Content == DeadLetterContent.Unregistered)
        {
            _added.Frames.Add(new FrameRegisterRow(
                letter.Gateway, letter.Frame, change.Stored, 0, change.Dropped, change.TimeFirst, change.TimeLast,
                content.Checksum, change.HashSum));
        }
        else
        {
            _frames[letter.Frame] = _frames.TryGetValue(letter.Frame, out var others) ? others.And(change) : change;
        }
    }

    /// <summary>
    /// Writes the changes. Throws <see cref="StoreException"/> when the register has neither a frame's row nor its day.
    /// </summary>
    public async Task WriteAsync(NpgsqlConnection connection, string gateway, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        new RegisterStatements().AddTo(batch, _added);
        Frames(gateway).AddTo(batch);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            do
            {
                while (await reader.ReadAsync(cancellationToken))
                {
                    _frames.Remove(new FrameKey(
                        (ulong)reader.GetInt64(0), (Lane)reader.GetInt16(1), reader.GetInt64(2), reader.GetInt32(3)));
                }
            }
            while (await reader.NextResultAsync(cancellationToken));
        }

        if (_frames.Count > 0)
        {
            await WriteDaysAsync(connection, gateway, cancellationToken);
        }
    }

    // For the frames that no longer have a row.
    private async Task WriteDaysAsync(NpgsqlConnection connection, string gateway, CancellationToken cancellationToken)
    {
        var days = _frames.Values.GroupBy(change => change.Day).ToList();
        await using var batch = new NpgsqlBatch(connection);
        Days(gateway, days).AddTo(batch);
        if (await batch.ExecuteNonQueryAsync(cancellationToken) < days.Count)
        {
            throw new StoreException(
                $"the frame register has neither some of {_frames.Count} frames nor their days any more; one of "
                + $"the frames is {_frames.Keys.First()}",
                isDataFault: false, mayHaveCommitted: false);
        }
    }

    private RowsStatement Frames(string gateway)
    {
        var statement = new RowsStatement(FramesSql);
        var (gateways, epoch, lane) = (statement.Texts(), statement.Numbers(), statement.Small());
        var (first, count) = (statement.Numbers(), statement.Integers());
        var (stored, rejected, dropped) = (statement.Integers(), statement.Integers(), statement.Integers());
        var (hashSum, timeFirst, timeLast) = (statement.Numbers(), statement.Times(), statement.Times());
        foreach (var (frame, change) in _frames)
        {
            gateways.Add(gateway);
            epoch.Add((long)frame.Epoch);
            lane.Add((short)frame.Lane);
            first.Add(frame.First);
            count.Add(frame.Count);
            stored.Add(change.Stored);
            rejected.Add(change.Rejected);
            dropped.Add(change.Dropped);
            hashSum.Add((long)change.HashSum);
            timeFirst.Add(ColumnValues.Time(change.TimeFirst));
            timeLast.Add(ColumnValues.Time(change.TimeLast));
        }

        return statement;
    }

    private static RowsStatement Days(string gateway, List<IGrouping<DateTime, Change>> changes)
    {
        var statement = new RowsStatement(DaysSql);
        var (gateways, days) = (statement.Texts(), statement.Times());
        var (stored, rejected, dropped) = (statement.Numbers(), statement.Numbers(), statement.Numbers());
        var hashSum = statement.Numbers();
        foreach (var day in changes)
        {
            gateways.Add(gateway);
            days.Add(day.Key);
            stored.Add(day.Sum(c => (long)c.Stored));
            rejected.Add(day.Sum(c => (long)c.Rejected));
            dropped.Add(day.Sum(c => (long)c.Dropped));
            hashSum.Add((long)day.Aggregate(0UL, (sum, c) => unchecked(sum + c.HashSum)));
        }

        return statement;
    }

    /// <summary>The changes to a frame; the day is that of its rejection, in UTC.</summary>
    private readonly record struct Change(
        int Stored, int Rejected, int Dropped, ulong HashSum, long TimeFirst, long TimeLast, DateTime Day)
    {
        public static Change Of(DeadLetterRecord record, LetterContent content)
        {
            var rows = content.Readings;
            var (first, last) = rows.Count == 0 ? (0, 0) : (long.MaxValue, long.MinValue);
            ulong sum = 0;
            for (var row = 0; row < rows.Count; row++)
            {
                var time = rows.Times[row];
                (first, last) = (Math.Min(first, time), Math.Max(last, time));
                sum += rows.HashOf(row);
            }

            return new Change(
                rows.Count, record.Letter.Readings, content.Declarations.Sum(d => d.Declaration.Count), sum, first,
                last, record.StoredAt.Date);
        }

        public Change And(Change other) => new(
            Stored + other.Stored, Rejected + other.Rejected, Dropped + other.Dropped,
            unchecked(HashSum + other.HashSum),
            Math.Min(TimeFirst, other.TimeFirst), Math.Max(TimeLast, other.TimeLast), Day);
    }
}
