using Microsoft.Data.Sqlite;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// The outbox in one SQLite file: WAL, synchronous=FULL, exclusively locked. All calls run one after another on the
/// file's own thread. A commit that fails breaks it for good: dispose it and open the file anew.
/// </summary>
public sealed class SqliteOutboxFile : IOutboxFile
{
    private readonly string _path;
    private readonly SqliteThread _thread;
    private readonly Dictionary<FrameId, long> _frameRows = [];
    private readonly SqliteConnection _connection;
    private SqliteCommitWriter? _writer;
    private SqliteStatement? _readSegment;
    private SqliteStatement? _readFrame;
    private bool _isBroken;
    private bool _isDisposed;

    private SqliteOutboxFile(string path, SqliteThread thread, SqliteConnection connection)
    {
        _path = path;
        _thread = thread;
        _connection = connection;
    }

    /// <summary>The version of the SQLite library in use.</summary>
    public static string LibraryVersion => SqliteLibrary.Version;

    /// <summary>
    /// Opens the file or makes a new one; its folder must exist. Throws <see cref="OutboxException"/> when another
    /// agent has it open, when it is of a newer version, damaged, or no outbox.
    /// </summary>
    public static async Task<SqliteOutboxFile> OpenAsync(
        string path, SqliteOutboxOptions? options, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        var thread = new SqliteThread($"outbox {Path.GetFileName(path)}");
        try
        {
            var connection = await thread.DoAsync(
                () => SqliteSchema.Open(path, options ?? new SqliteOutboxOptions()), cancellationToken);
            return new SqliteOutboxFile(path, thread, connection);
        }
        catch
        {
            await thread.EndAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<OutboxImage> LoadAsync(CancellationToken cancellationToken) => DoAsync(
        () =>
        {
            _frameRows.Clear();
            _writer?.Dispose();
            var image = SqliteImageReader.Read(_connection, _frameRows);
            _writer = new SqliteCommitWriter(_connection, _frameRows);
            _readSegment ??= new SqliteStatement(_connection, "SELECT data, counts FROM segment WHERE id = $0", 1);
            _readFrame ??= new SqliteStatement(_connection, "SELECT data, counts FROM frame_bytes WHERE id = $0", 1);
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

    /// <summary>Closes the file, the write-ahead log written back.</summary>
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
                _connection.Dispose();
                return true;
            },
            CancellationToken.None);
        await _thread.EndAsync();
    }

    private static (byte[]? Data, byte[]? Counts) Read(SqliteStatement statement)
    {
        using var reader = statement.Read();
        return reader.Read()
            ? (reader.IsDBNull(
                0) ? null : (byte[])reader.GetValue(0), reader.IsDBNull(1) ? null : (byte[])reader.GetValue(1))
            : default;
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
            throw SqliteSchema.Translate(e, _path);
        }
    }
}
