using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

public sealed class SqliteOutboxFileTests : OutboxFileContract
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.At("outbox.db");

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _folder.DisposeAsync();
    }

    [Fact]
    public async Task A_second_opener_is_refused_with_what_to_do()
    {
        await CommitAsync(Commit(1));
        var error = await Assert.ThrowsAsync<OutboxException>(OpenFileAsync);
        Assert.Contains("one agent at a time", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
        await CommitAsync(Commit(2));
    }

    [Fact]
    public async Task A_newer_version_is_refused()
    {
        await ChangeAsync("PRAGMA user_version = 99");
        var error = await Assert.ThrowsAsync<OutboxException>(OpenFileAsync);
        Assert.Contains("version 99", error.Message, StringComparison.Ordinal);
        await ChangeAsync($"PRAGMA user_version = {SqliteSchema.Version}");
        await ReopenAsync();
    }

    [Fact]
    public async Task A_database_that_is_no_outbox_is_refused()
    {
        await ChangeAsync("PRAGMA application_id = 5");
        Assert.Contains(
            "not an outbox", (await Assert.ThrowsAsync<OutboxException>(OpenFileAsync)).Message,
            StringComparison.Ordinal);
        await ChangeAsync($"PRAGMA application_id = {SqliteSchema.ApplicationId}");
    }

    [Fact]
    public async Task A_file_whose_structure_is_damaged_is_refused()
    {
        for (var i = 0; i < 50; i++)
        {
            await CommitAsync(Commit(i + 1) with { Segments = [Segment(i + 1, 1)] });
        }

        await ReopenAsync();
        await base.DisposeAsync();
        await using (var file = File.OpenWrite(FilePath))
        {
            file.Position = 4096;
            file.Write(new byte[8 * 4096]);
        }

        var error = await Assert.ThrowsAsync<OutboxException>(OpenFileAsync);
        Assert.Contains("damaged", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task Rotten_bytes_of_a_segment_read_as_gone_and_its_counts_stay()
    {
        await CommitAsync(Commit(1) with { Segments = [Segment(1, 1)] });
        await ChangeAsync("UPDATE segment SET data = zeroblob(length(data))");
        await ReopenAsync();
        var stored = await ReadSegmentAsync(1);
        Assert.Null(stored.Data);
        Assert.Equal(Segment(1, 1).Counts.ToArray(), stored.Counts);
    }

    [Fact]
    public async Task Rotten_bytes_of_a_frame_read_as_gone()
    {
        var frame = Frame(Lane.Live, 1, 5);
        await CommitAsync(Commit(5) with { Frames = [frame] });
        await ChangeAsync("UPDATE frame_bytes SET data = zeroblob(length(data)), counts = x'00'");
        await ReopenAsync();
        Assert.Equal(default, await ReadFrameAsync(frame.Id));
    }

    [Fact]
    public void Log_of_a_file_that_was_made_with_larger_pages_is_written_back_at_the_same_size()
    {
        var path = FilePath + "-older";
        var options = new SqliteOutboxOptions();
        using (SqliteSchema.Open(path, options with { PageBytes = 4096 }))
        {
        }

        using var connection = SqliteSchema.Open(path, options);

        Assert.Equal(4096L, Scalar(connection, "PRAGMA page_size"));
        Assert.Equal(options.WalBytes / 4096, Scalar(connection, "PRAGMA wal_autocheckpoint"));
    }

    [Fact]
    public async Task It_waits_for_the_disk_in_every_commit()
    {
        await base.DisposeAsync();
        using var connection = SqliteSchema.Open(FilePath, new SqliteOutboxOptions());
        Assert.Equal("wal", Scalar(connection, "PRAGMA journal_mode"));
        Assert.Equal(2L, Scalar(connection, "PRAGMA synchronous"));
        Assert.Equal("exclusive", Scalar(connection, "PRAGMA locking_mode"));
    }

    [Fact]
    public async Task The_write_ahead_log_stays_bounded()
    {
        for (var i = 0; i < 300; i++)
        {
            await CommitAsync(Commit(i) with { Frames = [Frame(Lane.Live, (i * 10) + 1, 10)] });
        }

        Assert.InRange(new FileInfo(FilePath + "-wal").Length, 1, 6 * 1024 * 1024);
    }

    [Fact]
    public async Task What_was_acknowledged_is_in_the_files_when_the_process_is_killed()
    {
        for (var i = 1; i <= 20; i++)
        {
            await CommitAsync(Commit(i) with { Segments = [Segment(i, 1)] });
            CopyAsKilled($"killed-{i}.db", walBytesLost: 0);
            Assert.Equal(i, await AcceptedAsync($"killed-{i}.db"));
        }
    }

    [Fact]
    public async Task File_that_says_not_whose_it_is_belongs_to_the_first_who_opens_it()
    {
        await ChangeAsync("DROP TABLE gateway");
        Assert.Equal(0, await AcceptedAsync(Path.GetFileName(FilePath)));

        await using var file = await SqliteOutboxFile.OpenAsync(FilePath, null, default);
        await Assert.ThrowsAsync<OutboxException>(() => file.LoadAsync(GatewayId.Parse("gw-2"), default).AsTask());
        Assert.Equal(0, (await file.LoadAsync(Gateway, default)).Accepted);
    }

    [Fact]
    public async Task A_commit_whose_end_never_reached_the_disk_is_undone_as_a_whole()
    {
        await CommitAsync(Commit(1) with { Segments = [Segment(1, 1)] });
        var before = new FileInfo(FilePath + "-wal").Length;
        await CommitAsync(Commit(2) with { Segments = [Segment(2, 1)], RemovedSegments = [1] });
        var bytes = new FileInfo(FilePath + "-wal").Length - before;
        for (var lost = 1L; lost <= bytes; lost += 1000)
        {
            CopyAsKilled($"torn-{lost}.db", lost);
            await using var file = await SqliteOutboxFile.OpenAsync(_folder.At($"torn-{lost}.db"), null, default);
            var image = await file.LoadAsync(Gateway, default);
            Assert.Equal((1L, 1L), (image.Accepted, Assert.Single(image.Segments).Id));
            Assert.NotNull((await file.ReadSegmentAsync(1, default)).Data);
        }
    }

    protected override async Task<IOutboxFile> OpenFileAsync() =>
        await SqliteOutboxFile.OpenAsync(FilePath, null, CancellationToken.None);

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <summary>The files as a kill leaves them: nothing closed, nothing written back.</summary>
    private void CopyAsKilled(string name, long walBytesLost)
    {
        File.Copy(FilePath, _folder.At(name));
        var log = File.ReadAllBytes(FilePath + "-wal");
        File.WriteAllBytes(_folder.At(name + "-wal"), log[..^(int)walBytesLost]);
    }

    private async Task<long> AcceptedAsync(string name)
    {
        await using var file = await SqliteOutboxFile.OpenAsync(_folder.At(name), null, default);
        return (await file.LoadAsync(Gateway, default)).Accepted;
    }

    /// <summary>Closes the outbox and changes its file behind its back.</summary>
    private async Task ChangeAsync(string sql)
    {
        await base.DisposeAsync();
        using var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False");
        connection.Open();
        SqliteSchema.Do(connection, sql);
    }
}
