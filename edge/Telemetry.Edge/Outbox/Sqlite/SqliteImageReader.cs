using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>Reads everything except bytes, when the file is opened.</summary>
internal static class SqliteImageReader
{
    /// <summary>
    /// Reads the image, and the row of each frame. Throws <see cref="OutboxException"/> when a row contains something
    /// that no agent wrote.
    /// </summary>
    public static OutboxImage Read(SqliteConnection connection, Dictionary<FrameId, long> frameRows)
    {
        try
        {
            return ReadRows(connection, frameRows);
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or ArgumentException or OverflowException
            or IndexOutOfRangeException or InvalidOperationException)
        {
            throw SqliteErrors.Damaged(connection.DataSource, e.Message, e);
        }
    }

    private static OutboxImage ReadRows(SqliteConnection connection, Dictionary<FrameId, long> frameRows)
    {
        // An agent that only inspects the file, before it is migrated to its version, finds no such table.
        var hasRequests = SqliteSchema.Number(
            connection, "SELECT count(*) FROM sqlite_master WHERE name = 'request'") > 0;
        var totals = Rows(
            connection,
            "SELECT outbox_id, accepted, promised_w FROM outbox",
            row => (Id: (ulong)row.GetInt64(0), Accepted: row.GetInt64(1), W: row.GetInt64(2)))[0];
        var epochs = Rows(connection, "SELECT * FROM epoch ORDER BY epoch_order", ReadEpoch);
        var orders = epochs.ToDictionary(e => e.Epoch, e => e.Order);
        var frames = Rows(connection, "SELECT * FROM frame", row =>
        {
            var frame = ReadFrame(row);
            frameRows.Add(frame.Id, row.GetInt64(0));
            return frame;
        });
        return new OutboxImage
        {
            OutboxId = totals.Id,
            Accepted = totals.Accepted,
            PromisedW = totals.W,
            Segments = Rows(
                connection,
                "SELECT id, count, series, time_first, time_last, bytes FROM segment ORDER BY id",
                row => new SegmentRow(
                    row.GetInt64(0), row.GetInt32(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4),
                    row.GetInt32(5), default, default)),
            Frames =
            [
                .. frames.OrderBy(f => orders.GetValueOrDefault(f.Key.Epoch)).ThenBy(f => f.Key.Lane)
                    .ThenBy(f => f.Key.First),
            ],
            Epochs = epochs,
            Drops = Rows(
                connection,
                "SELECT id, series, count, time_first, time_last, reason FROM drops ORDER BY id",
                row => new DropRow(row.GetInt64(0), new Declaration(
                    row.GetInt32(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4), (DropReason)row.GetByte(5)))),
            Schemas = Rows(
                connection,
                "SELECT step, parent_high, parent_low, additions FROM schema_step ORDER BY step",
                row => new SchemaRow(
                    new SchemaMessage(
                        new SchemaId((ulong)row.GetInt64(1), (ulong)row.GetInt64(2)), (byte[])row.GetValue(3)),
                    row.GetInt64(0))),
            Requests = !hasRequests ? [] : Rows(
                connection,
                "SELECT id, key, content, answer FROM request ORDER BY id",
                row => new RequestRow(row.GetInt64(0), new AnsweredRequest(
                    HashBytes.Read((byte[])row.GetValue(1)), HashBytes.Read((byte[])row.GetValue(2)),
                    (byte[])row.GetValue(3)))),
        };
    }

    /// <summary>The frames in quarantine, oldest first.</summary>
    public static IReadOnlyList<QuarantineRow> ReadQuarantine(SqliteConnection connection) => Rows(
        connection,
        "SELECT epoch, lane, first, count, reason, at, data FROM quarantine ORDER BY id",
        row => new QuarantineRow(
            new FrameKey((ulong)row.GetInt64(0), (Lane)row.GetByte(1), row.GetInt64(2), row.GetInt32(3)),
            row.GetString(4),
            row.GetInt64(5),
            (byte[])row.GetValue(6)));

    private static EpochRow ReadEpoch(SqliteDataReader row) => new(
        (ulong)row.GetInt64(1),
        row.GetInt64(0),
        new Predecessor((ulong)row.GetInt64(2), new LaneLasts(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5))),
        new LaneLasts(row.GetInt64(6), row.GetInt64(7), row.GetInt64(8)),
        FreedBytes.Read((byte[])row.GetValue(10)),
        row.GetBoolean(9));

    private static FrameRow ReadFrame(SqliteDataReader row) => new(
        new FrameKey((ulong)row.GetInt64(1), (Lane)row.GetByte(2), row.GetInt64(3), row.GetInt32(4)),
        row.GetInt32(5),
        (ulong)row.GetInt64(6),
        new SchemaId((ulong)row.GetInt64(7), (ulong)row.GetInt64(8)),
        row.GetInt32(9),
        row.GetBoolean(10),
        row.IsDBNull(12) ? null : new Receipt((StreamKind)row.GetByte(11), row.GetInt64(12)),
        row.GetInt32(13),
        row.GetInt64(14),
        row.GetInt64(15),
        default,
        default);

    private static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
