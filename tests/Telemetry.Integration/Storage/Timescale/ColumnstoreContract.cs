using System.Data;
using System.Text;
using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>What holds on TimescaleDB Community: readings and parts of windows in the columnstore.</summary>
public abstract class ColumnstoreContract
{
    private static readonly double[] Doubles =
    [
        0, -0.0, 21.37, 0.1 + 0.2, 1e300, double.Epsilon, double.MaxValue, double.PositiveInfinity,
        double.NegativeInfinity, double.NaN, 9007199254740993, 90071992547409.91, 123456789012345.67,
        0.12345678901234567,
    ];

    // Not-a-numbers that carry bits of their own, signalling ones among them.
    private static readonly ulong[] FloatBits =
    [
        .. Doubles.Select(BitConverter.DoubleToUInt64Bits), 0x7FF0_0000_0000_0001, 0x7FF8_DEAD_BEEF_0001,
        0xFFF8_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    private static readonly ulong[] Integers = [0, 1, long.MaxValue, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 1];

    private static readonly string[] Texts =
        ["", "é", "line\nbreak", new('x', ReadingBatch.TextBytesMax), new('é', ReadingBatch.TextBytesMax / 2)];

    [Fact]
    public Task Values_of_every_type_come_back_bit_for_bit_from_every_form() => RunAsync(async database =>
    {
        await database.OpenAnother();
        var row = await StoreSteps.Take(database.Store);
        var expected = new List<StoredReading>();

        row = await StoreSteps.Commit(database.Store, row, commit => AddValues(commit, expected));
        await Same("row");
        await database.KeepChunks();
        await Same("column");
        row = await StoreSteps.Commit(database.Store, row, commit => AddValues(commit, expected));
        await Same("both");
        await database.KeepChunks();
        await Same("column");
        await database.KeepChunks();
        await Same("column");

        async Task Same(string form)
        {
            Assert.Equal(form, await database.Forms("reading"));
            Assert.Equal(expected, (await database.ReadAllReadings()).OrderBy(r => r.Time));
        }
    });

    [Fact]
    public Task Long_run_goes_to_the_columnstore_at_once_and_comes_back_bit_for_bit() => RunAsync(async database =>
    {
        await database.OpenAnother();
        var row = await StoreSteps.Take(database.Store);
        var expected = new List<StoredReading>();
        var direct = database.Postgres.Edition.HasDirectCompress;

        row = await StoreSteps.Commit(database.Store, row, AddRun);
        await Same(direct ? "column" : "row");
        row = await StoreSteps.Commit(database.Store, row, commit => AddValues(commit, expected));
        await Same(direct ? "both" : "row");
        row = await StoreSteps.Commit(database.Store, row, AddRun);
        await Same(direct ? "both" : "row");
        await database.KeepChunks();
        await Same("column");
        Assert.Null(database.Postgres.DirectCompressProblem);

        void AddRun(StoreCommit commit)
        {
            while (commit.Readings.Count < 1_000)
            {
                AddValues(commit, expected);
            }
        }

        async Task Same(string form)
        {
            Assert.Equal(form, await database.Forms("reading"));
            Assert.Equal(expected, (await database.ReadAllReadings()).OrderBy(r => r.Time));
        }
    });

    [Fact]
    public Task Server_that_warns_of_direct_compress_is_not_asked_again() => RunAsync(async database =>
    {
        await database.OpenAnother();
        Skip.If(
            Version.Parse(database.Postgres.Edition.TimescaleVersion!.Split('-')[0]) < new Version(2, 23),
            "TimescaleDB before 2.23 falls back without a warning.");
        await database.Execute("""
            CREATE FUNCTION telemetry.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER nothing BEFORE INSERT ON telemetry.reading FOR EACH ROW EXECUTE FUNCTION telemetry.nothing()
            """);
        var row = await StoreSteps.Take(database.Store);
        var expected = new List<StoredReading>();

        row = await StoreSteps.Commit(database.Store, row, AddRun);
        Assert.NotNull(database.Postgres.DirectCompressProblem);
        await database.Execute("DROP TRIGGER nothing ON telemetry.reading");
        await StoreSteps.Commit(database.Store, row, AddRun);

        Assert.Equal("row", await database.Forms("reading"));
        Assert.Equal(expected, (await database.ReadAllReadings()).OrderBy(r => r.Time));

        void AddRun(StoreCommit commit)
        {
            while (commit.Readings.Count < 1_000)
            {
                AddValues(commit, expected);
            }
        }
    });

    [Fact]
    public Task Windows_are_the_same_in_row_form_and_in_the_columnstore() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        var before = await sample.Content();
        Assert.Equal("row, row", await database.Forms("reading"));

        await database.Postgres.IndexReadingsAsync(default);

        Assert.Equal("column, column", await database.Forms("reading"));
        Assert.Equal("column, column", await database.Forms("window_part"));
        Assert.Equal(before, await sample.Content());
        Assert.Empty(await sample.Differences());
    });

    [Fact]
    public Task Late_readings_of_compressed_windows_count_before_and_after_recompression() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        await database.KeepChunks();

        await sample.StoreLateAsync();

        Assert.Equal("both, both", await database.Forms("reading"));
        Assert.Equal("both, both", await database.Forms("window_part"));
        Assert.Equal(SampleWindows.CountsWithLate, await database.Row(SampleWindows.CountsSql));
        Assert.Empty(await sample.Differences());
        var before = await sample.Content();
        // They are not merged yet: more may come.
        await database.Postgres.IndexReadingsAsync(default);
        Assert.Equal("both, both", await database.Forms("reading"));

        await database.KeepChunks();

        Assert.Equal("column, column", await database.Forms("reading"));
        Assert.Equal("column, column", await database.Forms("window_part"));
        Assert.Equal(before, await sample.Content());
        Assert.Empty(await sample.Differences());
    });

    [Fact]
    public Task Snapshot_from_before_sees_every_reading_when_chunks_are_converted_and_merged() =>
        RunAsync(async database =>
        {
            await database.OpenAnother();
            var row = await StoreSteps.Take(database.Store);
            var expected = new List<StoredReading>();
            row = await StoreSteps.Commit(database.Store, row, commit => AddValues(commit, expected));
            await SeesAll("row");
            row = await StoreSteps.Commit(database.Store, row, commit => AddValues(commit, expected));
            await SeesAll("both");
            await StoreSteps.Commit(database.Store, row, commit =>
            {
                while (commit.Readings.Count < 1_000)
                {
                    AddValues(commit, expected);
                }
            });
            await SeesAll(database.Postgres.Edition.HasDirectCompress ? "column" : "both");

            // What reads by functions has the snapshot of its statement, and finds the chunk's form later.
            async Task SeesAll(string form)
            {
                Assert.Equal(form, await database.Forms("reading"));
                await using var reader = await database.OpenConnection();
                await using var transaction = await reader.BeginTransactionAsync(IsolationLevel.RepeatableRead);
                await Count(reader, "SELECT count(*) FROM telemetry.partition");

                await database.KeepChunks();

                Assert.Equal("column", await database.Forms("reading"));
                Assert.Equal(expected.Count, await Count(reader, "SELECT count(*) FROM telemetry.reading"));
            }
        });

    [Fact]
    public Task Chunk_that_a_query_holds_is_left_and_the_others_are_converted() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        var before = await sample.Content();
        var held = await database.Row(
            "SELECT c::text FROM show_chunks('telemetry.reading') c ORDER BY c::oid LIMIT 1");
        await using (var reader = await database.OpenConnection())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await Count(reader, $"SELECT count(*) FROM {held}");

            await database.KeepChunks(lockWait: TimeSpan.FromMilliseconds(50));
        }

        Assert.Equal("row, column", await database.Forms("reading"));
        Assert.Equal("column, column", await database.Forms("window_part"));
        await database.KeepChunks();
        Assert.Equal("column, column", await database.Forms("reading"));
        Assert.Equal(before, await sample.Content());
    });

    [Fact]
    public Task Open_chunk_stays_in_row_form_until_it_closes() => RunAsync(async database =>
    {
        var sample = await SampleWindows.OpenAsync(database);
        await sample.StoreAsync();
        var row = await StoreSteps.Take(database.Store, partition: 1);
        await StoreSteps.Commit(database.Store, row, commit => commit.Readings.Add(
            commit.Register(MetricType.Int), ColumnValues.Micros(DateTime.UtcNow), ReadingFlags.None, 1));

        await database.KeepChunks();

        Assert.Equal("column, column, row", await database.Forms("reading"));
    });

    [Fact]
    public Task Server_has_no_policy_that_converts_later() => RunAsync(async database =>
    {
        await database.OpenAnother();

        Assert.Equal("0", await database.Row("SELECT count(*) FROM timescaledb_information.jobs "
            + "WHERE hypertable_schema = 'telemetry'"));
    });

    [Fact]
    public Task Migration_of_compressed_readings_from_version_6_keeps_every_value() => RunAsync(async database =>
    {
        await SixthVersion.MakeAsync(database);
        await SixthVersion.FillAsync(database, 5_000);
        var before = await database.Row(SixthVersion.OldContent);
        await database.Convert("reading");
        Assert.Equal("column", await database.Forms("reading"));
        Assert.Equal(before, await database.Row(SixthVersion.OldContent));

        await database.OpenAnother();

        Assert.Equal(before, await database.Row(SixthVersion.NewContent));
    });

    /// <summary>
    /// Makes a database with TimescaleDB Community and without tables, and runs the test on it; a warning of SQLSTATE
    /// 01000 fails it.
    /// </summary>
    internal abstract Task RunAsync(Func<PostgresDatabase, Task> test);

    private static async Task<long> Count(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    // All in one chunk, each at a time of its own.
    private static void AddValues(StoreCommit commit, List<StoredReading> expected)
    {
        var time = WindowSpan.MicrosOfSecond + expected.Count;
        foreach (byte decimals in (byte[])[0, 2, 15, SeriesDefinition.DecimalsUnknown])
        {
            AddNumbers(commit.Register(MetricType.Float, decimals), FloatBits);
        }

        AddNumbers(commit.Register(MetricType.Int), Integers);
        AddNumbers(commit.Register(MetricType.UInt), Integers);
        AddNumbers(commit.Register(MetricType.Bool), [0, 1]);
        var texts = commit.Register(MetricType.Text);
        foreach (var text in Texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            commit.Readings.AddText(texts, time, ReadingFlags.None, bytes);
            expected.Add(StoredReading.Of(texts, time++, ReadingFlags.None, bytes));
        }

        void AddNumbers(SeriesEntry series, ulong[] values)
        {
            foreach (var bits in values)
            {
                commit.Readings.Add(series, time, ReadingFlags.TimeEstimated, bits);
                expected.Add(StoredReading.Number(series, time++, bits, ReadingFlags.TimeEstimated));
            }

            commit.Readings.Add(series, time, ReadingFlags.Null, 0);
            expected.Add(StoredReading.Null(series, time++, ReadingFlags.None));
        }
    }
}
