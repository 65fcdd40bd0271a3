using System.Text;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>
/// Readings of five types with the parts of their windows, around a midnight three days ago: chunks are a day long, so
/// they are in two, and both are old enough for the policy that compresses.
/// </summary>
internal sealed class SampleWindows
{
    private const int Minutes = 20, PeriodSeconds = 5, PerMinute = 60 / PeriodSeconds;
    private const int DaysAgo = 3;
    private const long MicrosOfMinute = 60 * WindowSpan.MicrosOfSecond;

    /// <summary>Late readings come to every second minute.</summary>
    private const int LateEvery = 2;

    private static readonly (MetricType Type, byte Decimals)[] Types =
    [
        (MetricType.Float, 2), (MetricType.Float, SeriesDefinition.DecimalsUnknown), (MetricType.Int, 0),
        (MetricType.UInt, 0), (MetricType.Bool, 0), (MetricType.Text, 0),
    ];

    /// <summary>The windows of one series.</summary>
    public const int WindowsOfOne = Minutes;

    public static readonly int Windows = Types.Length * Minutes, Readings = Windows * PerMinute;

    /// <summary>Complete windows, those with a revision, and the readings in them.</summary>
    public const string CountsSql = """
        SELECT count(*) FILTER (WHERE complete), count(*) FILTER (WHERE revision > 0), sum(readings)
        FROM telemetry.windows
        """;

    /// <summary>The same once late readings came, one to a window.</summary>
    public static readonly string CountsWithLate =
        $"{Windows}|{Windows / LateEvery}|{Readings + (Windows / LateEvery)}";

    private const string ContentSql = """
        SELECT concat_ws('|', metric, start, readings, numbers, nulls, uncertain, bad, sum, mean, min, max, first, last,
            stddev, time_weighted_mean, revision)
        FROM telemetry.windows ORDER BY metric, start
        """;

    private static readonly long Today = ColumnValues.Micros(DateTime.UtcNow.Date);

    private readonly PostgresDatabase _database;
    private readonly long _from;
    private PartitionRow _row;
    private SeriesEntry[] _series = [];

    private SampleWindows(PostgresDatabase database, PartitionRow row)
    {
        _database = database;
        _row = row;
        _from = Today - (DaysAgo * 24 * 60 * MicrosOfMinute) - (Minutes / 2 * MicrosOfMinute);
    }

    /// <summary>
    /// Opens the database's store, which stores in row form whatever the server can, and takes the partition.
    /// </summary>
    public static async Task<SampleWindows> OpenAsync(PostgresDatabase database)
    {
        await database.OpenStore(new PostgresStoreOptions
        {
            ConnectionString = database.ConnectionString,
            DirectCompress = false,
        });
        return new SampleWindows(database, await StoreSteps.Take(database.Store));
    }

    /// <summary>Stores the readings with their parts; the watermark is behind them.</summary>
    public async Task StoreAsync()
    {
        _row = await StoreSteps.Commit(_database.Store, _row, commit =>
        {
            _series = [.. Types.Select(of => commit.Register(of.Type, of.Decimals))];
            commit.Gateways.Add(GatewayRow.New(StoreSteps.Gateway, 0) with { Watermark = Of(Minutes) });
        });
        await StoreAsync(_from);
    }

    /// <summary>Stores as much of today, which is not complete.</summary>
    public Task StoreOpenAsync() => StoreAsync(Today);

    /// <summary>Removes the parts of today, as an owner does that folds the readings anew.</summary>
    public Task RemoveOpenAsync() =>
        RemoveAsync(new OpenSpan(Today, Today + (Minutes * MicrosOfMinute)), watermark: Of(Minutes));

    /// <summary>The same of the second chunk: those of the first one are behind the watermark that it names.</summary>
    public Task RemoveSecondHalfAsync() => RemoveAsync(new OpenSpan(_from, Of(Minutes)), watermark: Of(Minutes / 2));

    /// <summary>Stores one more reading in the middle of every second window, which is complete.</summary>
    public Task StoreLateAsync() => StoreLateAsync(Types.Length);

    /// <summary>The same, of the first series alone.</summary>
    public Task StoreLateOfOneAsync() => StoreLateAsync(1);

    private async Task StoreLateAsync(int seriesMax) =>
        _row = await StoreSteps.Commit(_database.Store, _row, commit =>
        {
            foreach (var (minute, series) in Each(LateEvery).Where(w => Array.IndexOf(_series, w.Series) < seriesMax))
            {
                var part = new WindowPart().Begin(series, new WindowSpan(Of(minute), 60));
                part.IsLate = true;
                Add(commit, part, part.Start + (MicrosOfMinute / 2) + 1, PerMinute);
                commit.Parts.Add(part);
                commit.Revisions.Add(new WindowRevisionRow(
                    StoreSteps.Gateway, new FrameKey(7, Lane.Backlog, 1, Windows / LateEvery), RevisionCause.Late,
                    part));
            }
        });

    /// <summary>What telemetry.window_check finds.</summary>
    public Task<IReadOnlyList<string>> Differences() => _database.Read(
        $"SELECT concat_ws('|', metric, start, found, expected) FROM telemetry.window_check('{DaysAgo + 2} days')",
        r => r.GetString(0));

    /// <summary>All columns of the view that do not depend on when it is asked, a line a window.</summary>
    public Task<IReadOnlyList<string>> Content() => _database.Read(ContentSql, r => r.GetString(0));

    private async Task RemoveAsync(OpenSpan span, long watermark) => _row = await StoreSteps.Commit(
        _database.Store, _row,
        commit => commit.RemovedParts.Add(new PartRemoval(StoreSteps.Gateway, span, watermark)));

    private async Task StoreAsync(long from) =>
        _row = await StoreSteps.Commit(_database.Store, _row, commit =>
        {
            foreach (var (minute, series) in Each(every: 1))
            {
                var part = new WindowPart().Begin(series, new WindowSpan(from + (minute * MicrosOfMinute), 60));
                for (var n = 0; n < PerMinute; n++)
                {
                    Add(commit, part, part.Start + (n * PeriodSeconds * WindowSpan.MicrosOfSecond), n);
                }

                commit.Parts.Add(part);
            }
        });

    private long Of(int minute) => _from + (minute * MicrosOfMinute);

    private IEnumerable<(int Minute, SeriesEntry Series)> Each(int every) =>
        from minute in Enumerable.Range(0, Minutes / every)
        from series in _series
        select (minute * every, series);

    private static void Add(StoreCommit commit, WindowPart part, long time, int n)
    {
        var series = part.Series;
        var seed = (int)(time / WindowSpan.MicrosOfSecond % 9973);
        var flags = n switch
        {
            3 => ReadingFlags.Null,
            4 => (ReadingFlags)(byte)Quality.Uncertain,
            5 => (ReadingFlags)(byte)Quality.Bad,
            _ => ReadingFlags.None,
        };
        if (series.Type == MetricType.Text && n != 3)
        {
            var text = Encoding.UTF8.GetBytes($"état {seed}");
            var bits = System.IO.Hashing.XxHash64.HashToUInt64(text);
            commit.Readings.AddText(series, time, flags, text);
            part.Add(time, flags, bits, ReadingHash.Of(series.Identity, time, series.Type, bits, flags));
            return;
        }

        var value = n == 3 ? 0 : series.Type switch
        {
            MetricType.Float when series.Decimals == 2 => BitConverter.DoubleToUInt64Bits(seed / 100.0),
            MetricType.Float => BitConverter.DoubleToUInt64Bits(n == 6 ? double.NaN : seed / 7.0),
            MetricType.Int => (ulong)-seed,
            MetricType.UInt => ulong.MaxValue - (ulong)seed,
            _ => (ulong)seed % 2,
        };
        commit.Readings.Add(series, time, flags, value);
        part.Add(time, flags, value, ReadingHash.Of(series.Identity, time, series.Type, value, flags));
    }
}
