using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// The outbox in one SQLite file: WAL, synchronous=FULL, exclusively locked. All calls run one after another on the
/// file's own thread. A commit that fails is rolled back; when the rollback fails too, the file is broken: dispose it
/// and open it again.
/// </summary>
public sealed class SqliteOutboxFile : IOutboxFile
{
    // The files that this process has open: opening a file again, however briefly, would release the lock of the first
    // opening.
    private static readonly ConcurrentDictionary<string, bool> OpenHere = [];

    private readonly string _path;
    private readonly SqliteOutboxOptions _options;
    private readonly SqliteThread _thread;
    private readonly Dictionary<FrameId, long> _frameRows = [];
    private readonly SqliteConnection _connection;
    private readonly SqliteSpace _room;
    private SqliteCommitWriter? _writer;
    private SqliteStatement? _readSegment;
    private SqliteStatement? _readFrame;
    private bool _isBroken;
    private bool _isDisposed;

    private volatile OutboxSpace _space;

    private SqliteOutboxFile(
        string path, SqliteOutboxOptions options, SqliteThread thread, SqliteConnection connection, SqliteSpace room)
    {
        _room = room;
        _space = room.Measure();
        _path = path;
        _options = options;
        _thread = thread;
        _connection = connection;
    }

    /// <summary>True while this process has the file open under this path.</summary>
    internal static bool IsOpenHere(string path) => OpenHere.ContainsKey(path);

    /// <summary>
    /// Opens the file or makes a new one; its folder must exist. Throws <see cref="OutboxException"/> when another
    /// agent has it open, when it has a newer version, when it is damaged, or when it is not an outbox.
    /// </summary>
    public static async Task<SqliteOutboxFile> OpenAsync(
        string path, SqliteOutboxOptions? options, CancellationToken cancellationToken)
    {
        path = SqliteLook.FullPath(path);
        options ??= new SqliteOutboxOptions();
        var thread = new SqliteThread($"outbox {Path.GetFileName(path)}");
        try
        {
            return await thread.DoAsync(() => Open(path, options, thread), cancellationToken);
        }
        catch
        {
            await thread.EndAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public OutboxSpace Space => _space;

    /// <inheritdoc/>
    public ValueTask<OutboxImage> LoadAsync(GatewayId gateway, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            if (!SqliteGateway.IsOf(_connection, _path, gateway))
            {
                SqliteGateway.Claim(_connection, gateway);
            }

            _frameRows.Clear();
            _writer?.Dispose();
            var image = SqliteImageReader.Read(_connection, _frameRows);
            var before = _options.BeforeStatement;
            _writer = new SqliteCommitWriter(_connection, _room, _frameRows, before);
            _readSegment ??= new SqliteStatement(
                _connection, "SELECT data, counts FROM segment WHERE id = $0", 1, before);
            _readFrame ??= new SqliteStatement(
                _connection, "SELECT data, counts FROM frame_bytes WHERE id = $0", 1, before);
            return image;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async ValueTask CommitAsync(OutboxCommit commit, CancellationToken cancellationToken) => await DoAsync(
        () =>
        {
            var writer = _writer ?? throw new InvalidOperationException("load the outbox first");
            try
            {
                writer.Write(commit);
                _space = _room.Measure();
            }
            catch (SqliteException e)
            {
                _isBroken = writer.IsBroken;
                throw SqliteErrors.OfOpenFile(e, _path, isUndone: !_isBroken);
            }
            catch
            {
                _isBroken = true;
                throw;
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoredBytes> ReadFrameAsync(FrameId frame, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            if (_writer is null || !_writer.TryFindFrame(frame, out var row))
            {
                return default;
            }

            var (data, counts) = Read(_readFrame!.Set(0, row));
            return new StoredBytes(
                data is not null && CheckedBytes.IsIntact(data) ? data : null, CheckedBytes.Open(counts));
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<StoredBytes> ReadSegmentAsync(long segment, CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            var (data, counts) = Read(_readSegment!.Set(0, segment));
            return new StoredBytes(CheckedBytes.Open(data), CheckedBytes.Open(counts));
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<QuarantineRow>> ReadQuarantineAsync(CancellationToken cancellationToken) =>
        DoAsync(() => SqliteImageReader.ReadQuarantine(_connection), cancellationToken);

    /// <summary>Writes the write-ahead log back and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _thread.DoAsync(
            () =>
            {
                _writer?.Dispose();
                _readSegment?.Dispose();
                _readFrame?.Dispose();
                Close();
                return true;
            },
            CancellationToken.None);
        await _thread.EndAsync();
    }

    private static SqliteOutboxFile Open(string path, SqliteOutboxOptions options, SqliteThread thread)
    {
        if (!OpenHere.TryAdd(path, true))
        {
            throw SqliteErrors.InUse(path);
        }

        SqliteConnection? connection = null;
        try
        {
            connection = SqliteSchema.Open(path, options);
            return new SqliteOutboxFile(
                path, options, thread, connection, new SqliteSpace(connection, path, options));
        }
        catch (Exception e)
        {
            connection?.Dispose();
            OpenHere.TryRemove(path, out _);
            throw e is SqliteException error ? SqliteErrors.OfOpening(error, path) : e;
        }
    }

    private static (byte[]? Data, byte[]? Counts) Read(SqliteStatement statement)
    {
        try
        {
            using var reader = statement.Read();
            return reader.Read() ? (Bytes(reader, 0), Bytes(reader, 1)) : default;
        }
        catch (SqliteException e) when (SqliteErrors.FaultOf(e) == OutboxFault.Corrupt)
        {
            // The pages of this row are damaged: its bytes count as missing and are declared.
            return default;
        }
    }

    private static byte[]? Bytes(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : (byte[])reader.GetValue(column);

    private void Close()
    {
        try
        {
            _room.Close();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // The log is not empty, or the disk fails: leave it as it is; the next start reads it.
            return;
        }
        finally
        {
            _room.Dispose();
            _connection.Dispose();
            OpenHere.TryRemove(_path, out _);
        }
    }

    private async ValueTask<T> DoAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        try
        {
            return await _thread.DoAsync(
                () => _isBroken
                    ? throw new OutboxException($"a commit to {_path} failed: open it anew", isTransient: true)
                    : work(),
                cancellationToken);
        }
        catch (SqliteException e)
        {
            throw SqliteErrors.OfOpenFile(e, _path, isUndone: true);
        }
    }
}
