using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Testing.Servers;

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
        File.Copy(At(name + ".outbox"), FilePath);
        File.Copy(At(name + ".journal"), JournalPath);
        Accepted = Number("SELECT accepted FROM outbox");
        Dropped = Number("SELECT sum(dropped) FROM frame");
        Frames = Checksums();
    }

    /// <summary>One a commit whose agents wrote something that today's do not.</summary>
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

    /// <summary>What the file says now; no agent may have it open.</summary>
    public long Number(string sql) => (long)Rows(sql).Single()[0];

    /// <summary>Opens it as today's agent does.</summary>
    public async Task<Outbox> OpenAsync() => await Outbox.OpenAsync(
        await SqliteOutboxFile.OpenAsync(FilePath, null, default),
        AgentAndCloud.Gateway,
        new OutboxOptions(),
        TimeProvider.System,
        new Random(1),
        default);

    private List<string> Checksums() => Rows("SELECT epoch, lane, first, count, checksum FROM frame")
        .ConvertAll(row => string.Join('|', row.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v}"))));

    private List<object[]> Rows(string sql)
    {
        // Before the first connection: a second library of SQLite in one process ends it.
        _ = SqliteLibrary.Version;
        using var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False");
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
