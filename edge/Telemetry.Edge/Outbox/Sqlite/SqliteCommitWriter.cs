using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>Writes commits, each in one transaction, with prepared statements. Used on the file's thread.</summary>
internal sealed class SqliteCommitWriter : IDisposable
{
    private readonly List<SqliteStatement> _statements = [];
    private readonly Dictionary<FrameId, long> _frameRows;
    private readonly List<(FrameId Frame, long? Row)> _rowsBefore = [];
    private readonly SqliteConnection _connection;
    private readonly SqliteSpace _space;
    private readonly SqliteStatement _begin, _commit, _rollback, _totals;
    private readonly SqliteStatement _putSegment, _deleteSegment;
    private readonly SqliteStatement _putFrame, _deleteFrame, _putFrameBytes, _dropFrameData, _deleteFrameBytes;
    private readonly SqliteStatement _putEpoch, _putDrop, _deleteDrop, _putSchema, _putQuarantine, _trimQuarantine;
    private readonly SqliteStatement _putRequest, _forgetRequests;
    private long _frameRowLast;

    public SqliteCommitWriter(
        SqliteConnection connection, SqliteSpace space, Dictionary<FrameId, long> frameRows, Action<string>? before)
    {
        _space = space;
        _connection = connection;
        _frameRows = frameRows;
        _frameRowLast = frameRows.Count == 0 ? 0 : frameRows.Values.Max();
        SqliteStatement Prepare(string sql, int parameters = 0)
        {
            var statement = new SqliteStatement(connection, sql, parameters, before);
            _statements.Add(statement);
            return statement;
        }

        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _totals = Prepare("UPDATE outbox SET accepted = $0, promised_w = $1 WHERE id = 1 AND accepted <= $0", 2);
        _putSegment = Prepare("INSERT OR REPLACE INTO segment VALUES ($0, $1, $2, $3, $4, $5, $6, $7)", 8);
        _deleteSegment = Prepare("DELETE FROM segment WHERE id = $0", 1);
        _putFrame = Prepare(
            "INSERT OR REPLACE INTO frame VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
            + "$14, $15)", 16);
        _deleteFrame = Prepare("DELETE FROM frame WHERE id = $0", 1);
        _putFrameBytes = Prepare("INSERT OR REPLACE INTO frame_bytes VALUES ($0, $1, $2)", 3);
        _dropFrameData = Prepare("UPDATE frame_bytes SET data = NULL WHERE id = $0", 1);
        _deleteFrameBytes = Prepare("DELETE FROM frame_bytes WHERE id = $0", 1);
        _putEpoch = Prepare("INSERT OR REPLACE INTO epoch VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", 11);
        _putDrop = Prepare("INSERT OR REPLACE INTO drops VALUES ($0, $1, $2, $3, $4, $5)", 6);
        _deleteDrop = Prepare("DELETE FROM drops WHERE id = $0", 1);
        _putSchema = Prepare("INSERT OR REPLACE INTO schema_step VALUES ($0, $1, $2, $3)", 4);
        _putQuarantine = Prepare("INSERT INTO quarantine VALUES (NULL, $0, $1, $2, $3, $4, $5, $6)", 7);
        _trimQuarantine = Prepare(
            "DELETE FROM quarantine WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET $0)", 1);
        _putRequest = Prepare("INSERT OR REPLACE INTO request VALUES ($0, $1, $2, $3)", 4);
        _forgetRequests = Prepare("DELETE FROM request WHERE id <= $0", 1);
    }

    /// <summary>
    /// Returns when the commit is durable. When it throws, the file is unchanged, unless <see cref="IsBroken"/> is then
    /// true.
    /// </summary>
    public void Write(OutboxCommit commit)
    {
        _space.Fence();
        try
        {
            WriteOnce(commit, useReserve: false);
        }
        catch (SqliteException e) when (SqliteErrors.FaultOf(e) == OutboxFault.Full && !IsBroken)
        {
            var grown = _space.TryGrow(BytesOf(commit));
            WriteOnce(commit, useReserve: !grown && !commit.BringsReadings);
        }
    }

    /// <summary>True when a transaction failed and could not be rolled back: the file must be opened again.</summary>
    public bool IsBroken { get; private set; }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }
    }

    /// <summary>Finds the row of a frame.</summary>
    public bool TryFindFrame(FrameId id, out long row) => _frameRows.TryGetValue(id, out row);

    private static long BytesOf(OutboxCommit commit) =>
        commit.Segments.Sum(s => (long)s.Bytes) + commit.Frames.Sum(f => (long)f.Data.Length)
        + commit.Requests.Sum(r => (long)r.Request.Answer.Length);

    private void WriteOnce(OutboxCommit commit, bool useReserve)
    {
        var touchesReserve = useReserve || (commit.BringsReadings && !_space.ReserveKept);
        try
        {
            _begin.Run();
            if (useReserve)
            {
                _space.UseReserve();
            }
            else if (touchesReserve)
            {
                _space.KeepReserve();
            }

            WriteRows(commit);
            _commit.Run();
            _rowsBefore.Clear();
        }
        catch
        {
            RollBack();
            throw;
        }

        if (touchesReserve)
        {
            _space.LookAtReserve();
        }
    }

    // COMMIT rolls back by itself after an error of space or of the disk; after other errors the transaction is still
    // open.
    private void RollBack()
    {
        try
        {
            if (raw.sqlite3_get_autocommit(_connection.Handle) == 0)
            {
                _rollback.Run();
            }
        }
        catch (SqliteException)
        {
            // The first error is the one to report. The owner closes the connection, which rolls back.
            IsBroken = true;
        }

        for (var i = _rowsBefore.Count - 1; i >= 0; i--)
        {
            var (frame, row) = _rowsBefore[i];
            if (row is { } number)
            {
                _frameRows[frame] = number;
            }
            else
            {
                _frameRows.Remove(frame);
            }
        }

        _rowsBefore.Clear();
    }

    private void WriteRows(OutboxCommit commit)
    {
        if (_totals.Set(0, commit.Accepted).Set(1, commit.PromisedW).Run() != 1)
        {
            throw new OutboxException($"the accepted total would fall to {commit.Accepted}", isTransient: false);
        }

        // Remove first, so that the new rows can use the freed pages.
        Remove(commit);
        foreach (var segment in commit.Segments)
        {
            WriteSegment(segment);
        }

        foreach (var frame in commit.Frames)
        {
            WriteFrame(frame);
        }

        foreach (var epoch in commit.Epochs)
        {
            WriteEpoch(epoch);
        }

        WriteDrops(commit);
        foreach (var schema in commit.Schemas)
        {
            var parent = schema.Message.Parent;
            _putSchema.Set(0, schema.Order).Set(1, parent.High).Set(2, parent.Low).Set(3, schema.Message.Additions)
                .Run();
        }

        WriteQuarantine(commit);
        WriteRequests(commit);
    }

    private void Remove(OutboxCommit commit)
    {
        foreach (var segment in commit.RemovedSegments)
        {
            _deleteSegment.Set(0, segment).Run();
        }

        foreach (var frame in commit.RemovedFrames)
        {
            if (_frameRows.Remove(frame, out var row))
            {
                _rowsBefore.Add((frame, row));
                _deleteFrame.Set(0, row).Run();
                _deleteFrameBytes.Set(0, row).Run();
            }
        }
    }

    private void WriteSegment(SegmentRow segment) => _putSegment
        .Set(0, segment.Id).Set(1, segment.Count).Set(2, segment.Series)
        .Set(3, segment.TimeFirst).Set(4, segment.TimeLast).Set(5, segment.Bytes)
        .Set(6, CheckedBytes.Seal(segment.Counts.Span)).Set(7, CheckedBytes.Seal(segment.Data.Span)).Run();

    private void WriteFrame(FrameRow frame)
    {
        var known = _frameRows.TryGetValue(frame.Id, out var row);
        if (!known)
        {
            _frameRows.Add(frame.Id, row = ++_frameRowLast);
            _rowsBefore.Add((frame.Id, null));
        }

        _putFrame.Set(0, row).Set(1, frame.Key.Epoch).Set(2, (long)frame.Key.Lane).Set(3, frame.Key.First)
            .Set(4, frame.Key.Count).Set(5, frame.Dropped).Set(6, frame.Checksum)
            .Set(7, frame.Schema.High).Set(8, frame.Schema.Low).Set(9, frame.Bytes).Set(10, frame.Held)
            .Set(13, frame.Series).Set(14, frame.TimeFirst).Set(15, frame.TimeLast);
        if (frame.Receipt is { } receipt)
        {
            _putFrame.Set(11, (long)receipt.Stream).Set(12, receipt.Sequence);
        }
        else
        {
            _putFrame.SetNull(11).SetNull(12);
        }

        _putFrame.Run();
        if (!frame.Data.IsEmpty && frame.Held)
        {
            _putFrameBytes.Set(0, row).Set(1, CheckedBytes.Seal(frame.Counts.Span)).Set(2, frame.Data).Run();
        }
        else if (!frame.Held)
        {
            _dropFrameData.Set(0, row).Run();
        }
    }

    private void WriteEpoch(EpochRow epoch) => _putEpoch
        .Set(0, epoch.Order).Set(1, epoch.Epoch).Set(2, epoch.Predecessor.Epoch)
        .Set(3, epoch.Predecessor.Lasts.Critical).Set(4, epoch.Predecessor.Lasts.Live)
        .Set(5, epoch.Predecessor.Lasts.Backlog)
        .Set(6, epoch.Sealed.Critical).Set(7, epoch.Sealed.Live).Set(8, epoch.Sealed.Backlog)
        .Set(9, epoch.Complete).Set(10, FreedBytes.Write(epoch.Freed)).Run();

    private void WriteDrops(OutboxCommit commit)
    {
        foreach (var drop in commit.Drops)
        {
            var declaration = drop.Declaration;
            _putDrop.Set(0, drop.Id).Set(1, declaration.Series).Set(2, declaration.Count)
                .Set(3, declaration.TimeFirst).Set(4, declaration.TimeLast).Set(5, (long)declaration.Reason).Run();
        }

        foreach (var drop in commit.RemovedDrops)
        {
            _deleteDrop.Set(0, drop).Run();
        }
    }

    private void WriteRequests(OutboxCommit commit)
    {
        foreach (var (order, request) in commit.Requests)
        {
            _putRequest.Set(0, order).Set(1, HashBytes.Of(request.Key)).Set(2, HashBytes.Of(request.Content))
                .Set(3, request.Answer).Run();
        }

        if (commit.RequestsForgottenTo > 0)
        {
            _forgetRequests.Set(0, commit.RequestsForgottenTo).Run();
        }
    }

    private void WriteQuarantine(OutboxCommit commit)
    {
        foreach (var row in commit.Quarantined)
        {
            _putQuarantine.Set(0, row.Key.Epoch).Set(1, (long)row.Key.Lane).Set(2, row.Key.First).Set(3, row.Key.Count)
                .Set(4, row.Reason).Set(5, row.AtMicros).Set(6, row.Data).Run();
            _trimQuarantine.Set(0, QuarantineRow.RowsMax).Run();
        }
    }
}
