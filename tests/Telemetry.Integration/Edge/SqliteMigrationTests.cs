using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>A file of version 1, as an agent of that version left it, with readings in segments and frames.</summary>
public sealed class SqliteMigrationTests : IAsyncLifetime
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.At("outbox");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _folder.DisposeAsync();

    [Fact]
    public async Task A_file_of_version_1_opens_with_everything_that_it_held()
    {
        await MakeVersion1Async();
        var before = await ContentAsync();
        Assert.Equal(1L, before["user_version"]);

        await using (var outbox = await OpenAsync())
        {
            Assert.Equal((30L, 10L, 1), (outbox.Accepted, outbox.UnsealedReadings, outbox.Held.Count));
            Assert.Equal(0, outbox.Requests.Remembered);
            Assert.True((await OfferAsync(outbox, 5, new AnsweredRequest(1, 2, "204"u8.ToArray()))).IsAccepted);
        }

        await using var again = await OpenAsync();
        Assert.Equal((35L, 15L), (again.Accepted, again.UnsealedReadings));
        Assert.NotNull(again.FindRequest(1));
        foreach (var frame in again.Held)
        {
            Assert.NotNull(await again.ReadAsync(frame, default));
        }
    }

    [Fact]
    public async Task Bringing_it_to_the_new_version_changes_no_row_of_the_old_tables()
    {
        await MakeVersion1Async();
        var before = await ContentAsync();
        await (await SqliteOutboxFile.OpenAsync(FilePath, null, default)).DisposeAsync();
        var after = await ContentAsync();

        Assert.Equal((long)SqliteSchema.Version, after["user_version"]);
        Assert.Equal(
            before.Where(t => t.Key != "user_version"), after.Where(t => t.Key is not ("user_version" or "request")));
    }

    // What version 1 had and version 2 has are the same but for one table.
    private async Task MakeVersion1Async()
    {
        await using (var outbox = await OpenAsync())
        {
            outbox.LinkUp = true;
            Assert.True((await OfferAsync(outbox, 20, null)).IsAccepted);
            outbox.LinkUp = false;
            Assert.True((await OfferAsync(outbox, 10, null)).IsAccepted);
        }

        using var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False");
        connection.Open();
        SqliteSchema.Do(connection, "DROP TABLE request; PRAGMA user_version = 1;");
    }

    private async Task<SortedDictionary<string, object>> ContentAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False");
        await connection.OpenAsync();
        object Scalar(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            return command.ExecuteScalar() ?? "";
        }

        var content = new SortedDictionary<string, object>(
            StringComparer.Ordinal)
        { ["user_version"] = Scalar("PRAGMA user_version") };
        var tables = (string)Scalar("SELECT group_concat(name) FROM sqlite_master WHERE type = 'table'");
        foreach (var table in tables.Split(','))
        {
            var columns = (string)Scalar(
                $"SELECT group_concat('quote(' || name || ')', ' || \",\" || ') FROM pragma_table_info('{table}')");
            content[table] = Scalar(
                "SELECT group_concat(row, ';') FROM (SELECT "
                + $"{columns.Replace("\",\"", "','", StringComparison.Ordinal)} AS row FROM {table})");
        }

        return content;
    }

    private static Task<OfferOutcome> OfferAsync(ReadingOutbox outbox, int count, AnsweredRequest? request)
    {
        var series = outbox.SeriesIndex(new SeriesDefinition { Device = "d", Metric = "m" });
        var batch = new ReadingBatch();
        for (var i = 0; i < count; i++)
        {
            batch.Add(series, i, (double)i);
        }

        return outbox.OfferAsync(batch, TimeSpan.Zero, false, default, request).AsTask();
    }

    private async Task<ReadingOutbox> OpenAsync() => await ReadingOutbox.OpenAsync(
        await SqliteOutboxFile.OpenAsync(FilePath, null, default), Gateway, new OutboxOptions(), TimeProvider.System,
        new Random(1), default);
}
