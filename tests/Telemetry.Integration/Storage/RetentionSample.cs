using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Retention;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage;

/// <summary>
/// Readings of three series, ten a minute in the first two minutes of every day of the last weeks, with their windows:
/// two of metrics "a.…" and one of metric "b". The watermark is now.
/// </summary>
internal sealed class RetentionSample
{
    public const int Days = 30, PerDay = 20;
    private const long Second = WindowSpan.MicrosOfSecond, Minute = 60 * Second, Day = 1440 * Minute;

    private static readonly long Today = ColumnValues.Micros(DateTime.UtcNow.Date);

    private readonly PostgresDatabase _database;
    private PartitionRow _row;
    private long _stored, _sequence;

    private RetentionSample(PostgresDatabase database, PartitionRow row) => (_database, _row) = (database, row);

    public SeriesEntry[] Series { get; private set; } = [];

    /// <summary>Every reading that the ledger has as stored.</summary>
    public long Stored => _stored;

    public static async Task<RetentionSample> StoreAsync(PostgresDatabase database, long? watermark = null)
    {
        var sample = new RetentionSample(database, await StoreSteps.Take(database.Store));
        await sample.CommitAsync(commit =>
        {
            sample.Series =
            [
                commit.Register(Flow("a.flow", "pump")), commit.Register(Flow("a.flow", "fan")),
                commit.Register(Flow("b", "pump")),
            ];
        });
        for (var day = Days; day >= 0; day--)
        {
            await sample.CommitAsync(commit => sample.AddDay(commit, day), watermark ?? Today + Day - 1);
        }

        return sample;
    }

    /// <summary>A database on plain PostgreSQL whose upkeep makes no pauses.</summary>
    public static async Task<PostgresDatabase> CreateDatabase(PostgresFixture fixture, int rowsMax = 100_000)
    {
        var database = await PostgresDatabase.CreateEmpty(fixture.ConnectionString);
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            ArrivedReadings = 1,
            IndexingPercent = 100,
            RetentionRowsMax = rowsMax,
            RetentionPercent = 100,
            PartitionLockWait = TimeSpan.FromMilliseconds(200),
        });
        return database;
    }

    /// <summary>The sample on plain PostgreSQL, each reading in its week.</summary>
    public static async Task<RetentionSample> StoreIndexed(
        PostgresDatabase database, long? watermark = null)
    {
        var sample = await StoreAsync(database, watermark);
        await database.IndexReadings();
        return sample;
    }

    /// <summary>The same in a database without tables.</summary>
    public static async Task<RetentionSample> OpenAsync(PostgresDatabase database)
    {
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            RetentionRowsMax = 50,
            RetentionPercent = 100,
        });

        // A chunk for each day of the sample.
        await database.Execute("SELECT set_chunk_time_interval('telemetry.reading', interval '1 day'), "
            + "set_chunk_time_interval('telemetry.window_part', interval '1 day')");
        return await StoreAsync(database);
    }

    /// <summary>A reading of the first series so many days ago, in a window that is complete.</summary>
    public Task StoreLateAsync(int daysAgo, int second = 30) => CommitAsync(
        commit =>
        {
            var part = new WindowPart().Begin(Series[0], new WindowSpan(Time(daysAgo), 60));
            part.IsLate = true;
            Add(commit, part, part.Start + (second * Second) + 7);
            commit.Parts.Add(part);
            commit.Revisions.Add(new WindowRevisionRow(
                StoreSteps.Gateway, new FrameKey(7, Lane.Backlog, ++_sequence, 1), RevisionCause.Late, part));
        },
        Today + Day - 1);

    /// <summary>
    /// What is in the table and what was removed is what was stored: null; else the difference, by the view.
    /// </summary>
    public async Task<string?> FindDifference()
    {
        var row = await _database.Row($"""
            SELECT stored, retired, (SELECT count(*) FROM telemetry.reading)
            FROM telemetry.books WHERE gateway = '{StoreSteps.Gateway}'
            """);
        var numbers = row.Split('|').Select(n => long.Parse(n, System.Globalization.CultureInfo.InvariantCulture))
            .ToArray();
        return numbers[0] == _stored && numbers[1] + numbers[2] == _stored ? null : row;
    }

    /// <summary>The days before today, of which there are readings of the metric, the oldest first.</summary>
    public Task<IReadOnlyList<int>> DaysOf(string metric, string table = "reading", string time = "time") =>
        _database.Read(
            $"""
            SELECT DISTINCT extract(day FROM timestamptz '1970-01-01Z' + interval '{Today} microseconds'
                - date_trunc('day', r.{time}, 'UTC'))::integer AS day
            FROM telemetry.{table} r JOIN telemetry.series s ON s.id = r.series WHERE s.metric = '{metric}'
            ORDER BY day DESC
            """,
            r => r.GetInt32(0));

    public Task<IReadOnlyList<string>> Differences() => _database.Read(
        "SELECT concat_ws('|', metric, start, found, expected) FROM telemetry.window_check('90 days')",
        r => r.GetString(0));

    public static RetentionRules Rules(params (string Metric, int? Readings, int? Windows)[] rules) => new(
    [
        .. rules.Select(r => new RetentionRule(
            new NamePattern(r.Metric), r.Readings is { } days ? TimeSpan.FromDays(days) : null,
            r.Windows is { } windows
                ? new Dictionary<int, TimeSpan> { [60] = TimeSpan.FromDays(windows) } : [])),
    ]);

    /// <summary>The oldest day of plain PostgreSQL that is kept, so many days ago: weeks go as a whole.</summary>
    public static int KeptDays(int days)
    {
        var week = DateTime.UtcNow.AddDays(-days);
        week = week.AddTicks(-((week - DateTime.UnixEpoch).Ticks % TimeSpan.FromDays(7).Ticks));
        return (DateTime.UtcNow.Date - week).Days;
    }

    /// <summary>The first time of the day that is so many days ago.</summary>
    public static long Time(int daysAgo) => Today - (daysAgo * Day);

    private static SeriesDefinition Flow(string metric, string device) => StoreSteps.Series(device, metric);

    private async Task CommitAsync(Action<StoreCommit> fill, long? watermark = null) =>
        _row = await StoreSteps.Commit(_database.Store, _row, commit =>
        {
            fill(commit);
            _stored += commit.Readings.Count;
            commit.Gateways.Add(GatewayRow.New(StoreSteps.Gateway, 0) with
            {
                Stored = _stored,
                Watermark = watermark ?? long.MinValue,
            });
        });

    private void AddDay(StoreCommit commit, int day)
    {
        foreach (var series in Series)
        {
            for (var minute = 0; minute < 2; minute++)
            {
                var part = new WindowPart().Begin(series, new WindowSpan(Time(day) + (minute * Minute), 60));
                for (var n = 0; n < PerDay / 2; n++)
                {
                    Add(commit, part, part.Start + (n * 6 * Second));
                }

                commit.Parts.Add(part);
            }
        }
    }

    private static void Add(StoreCommit commit, WindowPart part, long time)
    {
        var bits = BitConverter.DoubleToUInt64Bits(time / Second % 97 / 4.0);
        commit.Readings.Add(part.Series, time, ReadingFlags.None, bits);
        part.Add(
            time, ReadingFlags.None, bits,
            ReadingHash.Of(part.Series.Identity, time, part.Series.Type, bits, ReadingFlags.None));
    }
}
