using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>
/// The file of an agent of an earlier commit, from OlderOutboxes/, copied so that it can be opened: opening it brings
/// it to today's version. The journal beside it says of every reading what must become of it.
/// </summary>
internal sealed class OlderOutbox
{
    /// <summary>What was posted to it, with the Idempotency-Key <c>first</c> and the precision <c>us</c>.</summary>
    public const string FirstRequest = "first.lines";

    public OlderOutbox(string name, TemporaryFolder folder)
    {
        (FilePath, JournalPath) = (folder.At("outbox"), folder.At("journal"));
        File.Copy(At(name + ".journal"), JournalPath);
        Copy(name, FilePath);
        // Of a copy, as the file must come to today's agent as the older one left it.
        var read = folder.At("read");
        Copy(name, read);
        Accepted = Number(read, "SELECT accepted FROM outbox");
        Dropped = Number(read, "SELECT sum(dropped) FROM frame");
        Frames = Checksums(read);
    }

    /// <summary>
    /// One a commit whose agents wrote something that today's do not, and those that their agents were killed over.
    /// </summary>
    public static TheoryData<string> Names
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (var file in Directory.EnumerateFiles(At("."), "*.outbox").Order(StringComparer.Ordinal))
            {
                names.Add(Path.GetFileNameWithoutExtension(file));
            }

            return names;
        }
    }

    public string FilePath { get; }

    public string JournalPath { get; }

    public long Accepted { get; }

    /// <summary>The readings that its frames declare as dropped.</summary>
    public long Dropped { get; }

    /// <summary>Its frames' names and checksums.</summary>
    public IReadOnlyList<string> Frames { get; }

    public static string At(string file) => Path.Combine(Folder(), file);

    /// <summary>
    /// What the file says now; no agent may have it open. From then on it is not as the older agent left it: to read it
    /// is to write its log back into it.
    /// </summary>
    public long Number(string sql) => Number(FilePath, sql);

    /// <summary>What the file would say without the write-ahead log beside it.</summary>
    public static long NumberWithoutLog(string name, TemporaryFolder folder, string sql)
    {
        var path = folder.At("withoutLog");
        File.Copy(At(name + ".outbox"), path, overwrite: true);
        return Number(path, sql);
    }

    /// <summary>The version of the SQLite that wrote the file last: its header's field of that name.</summary>
    public Version WrittenBy()
    {
        using var file = File.OpenRead(FilePath);
        var header = new byte[100];
        file.ReadExactly(header);
        var number = (int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(96));
        return new Version(number / 1_000_000, number / 1000 % 1000, number % 1000);
    }

    /// <summary>Opens it as today's agent does.</summary>
    public async Task<ReadingOutbox> OpenAsync() => await ReadingOutbox.OpenAsync(
        await SqliteOutboxFile.OpenAsync(FilePath, null, default),
        AgentAndCloud.Gateway,
        new OutboxOptions(),
        TimeProvider.System,
        new Random(1),
        default);

    private static void Copy(string name, string path)
    {
        File.Copy(At(name + ".outbox"), path);
        if (File.Exists(At(name + ".outbox-wal")))
        {
            File.Copy(At(name + ".outbox-wal"), path + "-wal");
        }
    }

    private static long Number(string path, string sql) => (long)Rows(path, sql).Single()[0];

    private static List<string> Checksums(string path) => Rows(
            path, "SELECT epoch, lane, first, count, checksum FROM frame")
        .ConvertAll(row => string.Join('|', row.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v}"))));

    private static List<object[]> Rows(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        return rows;
    }

    private static string Folder([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "OlderOutboxes");
}
