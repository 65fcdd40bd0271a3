using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>Writes rows that are only added: the frame register, declarations of drops, dead letters.</summary>
internal sealed class RegisterStatements
{
    private readonly RowsStatement _frames = new("""
        INSERT INTO telemetry.frame_register (gateway, epoch, lane, first, count, stored, rejected, dropped,
            time_first, time_last, checksum, hash_sum, stored_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) u
        """);

    private readonly RowsStatement _drops = new("""
        INSERT INTO telemetry.drop_declaration (gateway, epoch, lane, first, count, series_identity, series, readings,
            time_first, time_last, reason, stored_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) u
        """);

    private readonly RowsStatement _deadLetters = new("""
        INSERT INTO telemetry.dead_letter (gateway, epoch, lane, first, count, reason, error, readings, series_identity,
            time_micros, bytes, content, flags, schema, stored_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) u
        """);

    // Another processor may do the same at this moment: rows that it has locked are left to it, so that no deadlock
    // occurs.
    private readonly RowsStatement _unbooked = new($"""
        DELETE FROM telemetry.dead_letter WHERE id IN (
            SELECT id FROM telemetry.dead_letter WHERE readings = 0 AND id = ANY(ARRAY(
                SELECT x.id FROM (SELECT DISTINCT gateway FROM unnest($1) u(gateway)) g CROSS JOIN LATERAL (
                    SELECT d.id FROM telemetry.dead_letter d WHERE d.gateway = g.gateway AND d.readings = 0
                    ORDER BY d.id DESC OFFSET {DeadLetterRow.UnbookedOfGatewayMax}) x
                UNION ALL
                (SELECT id FROM telemetry.dead_letter WHERE readings = 0
                 ORDER BY id DESC OFFSET {DeadLetterRow.UnbookedMax})))
            FOR UPDATE SKIP LOCKED)
        """);

    private readonly Action<StoreCommit> _fill;

    public RegisterStatements() => _fill = Frames() + Drops() + DeadLetters();

    public void AddTo(NpgsqlBatch batch, StoreCommit commit)
    {
        _frames.Clear();
        _drops.Clear();
        _deadLetters.Clear();
        _unbooked.Clear();
        _fill(commit);
        _frames.AddTo(batch);
        _drops.AddTo(batch);
        _deadLetters.AddTo(batch);
        _unbooked.AddTo(batch);
    }

    private Action<StoreCommit> Frames()
    {
        var key = new FrameKeyColumns(_frames);
        var (stored, rejected, dropped) = (_frames.Integers(), _frames.Integers(), _frames.Integers());
        var (timeFirst, timeLast) = (_frames.Times(), _frames.Times());
        var (checksum, hashSum) = (_frames.Numbers(), _frames.Numbers());
        return commit =>
        {
            foreach (var row in commit.Frames)
            {
                key.Add(row.Gateway, row.Key);
                stored.Add(row.Stored);
                rejected.Add(row.Rejected);
                dropped.Add(row.Dropped);
                timeFirst.Add(ColumnValues.Time(row.TimeFirst));
                timeLast.Add(ColumnValues.Time(row.TimeLast));
                checksum.Add((long)row.Checksum);
                hashSum.Add((long)row.HashSum);
            }
        };
    }

    private Action<StoreCommit> Drops()
    {
        var key = new FrameKeyColumns(_drops);
        var (identity, series, readings) = (_drops.Bytes(), _drops.Integers(), _drops.Integers());
        var (timeFirst, timeLast, reason) = (_drops.Times(), _drops.Times(), _drops.Small());
        return commit =>
        {
            foreach (var row in commit.Drops)
            {
                key.Add(row.Gateway, row.Frame);
                identity.Add(ColumnValues.Bytes(row.Series));
                series.Add(row.Declaration.Series);
                readings.Add(row.Declaration.Count);
                timeFirst.Add(ColumnValues.Time(row.Declaration.TimeFirst));
                timeLast.Add(ColumnValues.Time(row.Declaration.TimeLast));
                reason.Add((short)row.Declaration.Reason);
            }
        };
    }

    private Action<StoreCommit> DeadLetters()
    {
        var key = new FrameKeyColumns(_deadLetters);
        var (reason, error, readings) = (_deadLetters.Small(), _deadLetters.Texts(), _deadLetters.Integers());
        var (identity, time, bytes) = (_deadLetters.Bytes(), _deadLetters.Numbers(), _deadLetters.Bytes());
        var (content, flags, schema) = (_deadLetters.Small(), _deadLetters.Small(), _deadLetters.Bytes());
        var unbooked = _unbooked.Texts();
        return commit =>
        {
            foreach (var row in commit.DeadLetters)
            {
                key.Add(row.Gateway, row.Frame);
                reason.Add((short)row.Reason);
                error.Add(ColumnValues.Error(row.Error));
                readings.Add(row.Readings);
                identity.Add(ColumnValues.Bytes(row.Series));
                time.Add(row.Time);
                bytes.Add(row.Bytes.ToArray());
                content.Add((short)row.Content);
                flags.Add((short)row.Flags);
                schema.Add(row.Content == DeadLetterContent.Readings ? ColumnValues.Bytes(row.Schema) : []);
                if (row.Readings == 0)
                {
                    unbooked.Add(row.Gateway.Value);
                }
            }
        };
    }
}
