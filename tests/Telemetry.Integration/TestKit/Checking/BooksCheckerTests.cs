using Telemetry.Inputs.Generator;
using Telemetry.Inputs.Senders;
using Telemetry.Integration.Storage;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.SystemTests;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Contracts.StoreSteps;

namespace Telemetry.Integration.TestKit.Checking;

/// <summary>
/// The checker on a real database: it passes what is right, and sees the smallest thing that is wrong.
/// </summary>
public sealed class BooksCheckerTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    private const int Readings = 3000;
    private static readonly GeneratorOptions Generator = new() { Devices = 1 };

    [PostgresFact]
    public async Task Books_that_are_right_balance()
    {
        var verdict = await Judge(_ => Task.CompletedTask);

        Assert.True(verdict.Balanced, verdict.ToString());
        Assert.Equal((Readings, Readings), (verdict.Gateways[0].Acknowledged, verdict.Gateways[0].Stored));
    }

    [PostgresTheory]
    [InlineData("delete", "1 acknowledged readings are not stored")]
    [InlineData("double", "stored more often than attempted")]
    [InlineData("flip", "stored with another value than was sent")]
    public async Task One_corrupted_row_is_seen(string way, string fault)
    {
        var verdict = await Judge(database => DatabaseCorruption.CorruptAsync(database.ConnectionString, way, default));

        Assert.False(verdict.Balanced);
        Assert.Contains(fault, verdict.ToString(), StringComparison.Ordinal);
    }

    [PostgresTheory]
    [InlineData(
        "UPDATE telemetry.reading SET f = -f WHERE ctid = (SELECT ctid FROM telemetry.reading WHERE f > 0 LIMIT 1)")]
    [InlineData(
        "UPDATE telemetry.reading SET t = t || ' ' WHERE ctid = (SELECT ctid FROM telemetry.reading WHERE t = 'idle' "
        + "LIMIT 1)")]
    [InlineData(
        "UPDATE telemetry.reading SET flags = flags # 1 WHERE ctid = (SELECT ctid FROM telemetry.reading LIMIT 1)")]
    [InlineData(
        "UPDATE telemetry.reading SET time = time + interval '1 microsecond' WHERE ctid = (SELECT ctid FROM "
        + "telemetry.reading LIMIT 1)")]
    [InlineData(
        "UPDATE telemetry.reading SET series = series + 1 WHERE ctid = (SELECT ctid FROM telemetry.reading "
        + "LIMIT 1)")]
    [InlineData("UPDATE telemetry.gateway SET stored = stored + 1")]
    [InlineData("UPDATE telemetry.outbox SET accepted = accepted + 1")]
    [InlineData("UPDATE telemetry.frame_register SET hash_sum = hash_sum # 1")]
    public async Task Any_corrupted_column_is_seen(string sql) =>
        Assert.False((await Judge(database => database.Execute(sql))).Balanced);

    private async Task<BooksVerdict> Judge(Func<PostgresDatabase, Task> corrupt)
    {
        await using var folder = new TemporaryFolder();
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        var journal = folder.At("journal");
        await Send(database, journal);
        await corrupt(database);
        return await new BooksChecker(database.ConnectionString, [journal]).CheckAsync(drained: true, default);
    }

    // What the generator makes goes into the journal and, by the way of the store, into the database.
    private static async Task Send(PostgresDatabase database, string path)
    {
        var definitions = Enumerable.Range(0, GeneratorSeries.Kinds).Select(i => GeneratorSeries.Define(Generator, i))
            .ToArray();
        var schema = Extend(SeriesList.Empty(Gateway), definitions);
        var series = Enumerable.Range(0, GeneratorSeries.Kinds).Select(i => GeneratorSeries.Of(Generator, i, i))
            .ToArray();
        var batch = new ReadingBatch();
        for (var i = 0; i < Readings; i++)
        {
            series[i % series.Length].Next(batch, 1_700_000_000_000_000 + i);
        }

        using (var journal = SenderJournal.Open(path, Gateway))
        {
            journal.Acknowledge(journal.Attempt(batch, schema.List), Readings);
        }

        await Commit(database.Store, await Take(database.Store), commit =>
        {
            commit.Schemas.Add(schema);
            var sum = Add(commit.Readings, batch, schema.List);
            commit.Frames.Add(Frame(1, Readings) with { HashSum = sum });
            commit.Gateways.Add(GatewayRow.New(Gateway, 0) with { Stored = Readings });
            commit.Outboxes.Add(new OutboxRow(Gateway, 1, Readings));
        });
    }

    private static ulong Add(ReadingBuffer rows, ReadingBatch batch, SeriesList list)
    {
        var sum = 0UL;
        for (var row = 0; row < batch.Count; row++)
        {
            var index = batch.Series[row];
            var series = list.Entries[index];
            rows.AddFrom(batch, row, series);
            sum += ReadingHash.OfRow(batch, row, series.Identity, series.Type);
        }

        return sum;
    }
}
