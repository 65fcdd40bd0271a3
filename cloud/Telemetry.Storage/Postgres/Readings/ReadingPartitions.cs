using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Plain PostgreSQL only: the weekly partitions of readings and of parts of windows, and the daily ones of the frame
/// register, that a commit needs.
/// </summary>
internal sealed class ReadingPartitions(PostgresStoreOptions options, TimeProvider time)
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7), Day = TimeSpan.FromDays(1);

    private readonly PeriodPartitions _weeks = new("reading", Week, options);
    private readonly PeriodPartitions _days = new("frame_register", Day, options);
    private readonly PeriodPartitions _windowWeeks = new("window_part", Week, options);
    private readonly List<long> _wantedWeeks = [], _wantedDays = [];
    private long _now;

    /// <summary>How many partitions could not be made; the default partition has their rows.</summary>
    public int LeftToDefault => _weeks.LeftToDefault + _days.LeftToDefault + _windowWeeks.LeftToDefault;

    /// <summary>Finds the missing partitions; true when there are any.</summary>
    public bool Find(ReadingBuffer rows)
    {
        _wantedWeeks.Clear();
        _wantedDays.Clear();
        var now = _now = ColumnValues.Micros(time.GetUtcNow().UtcDateTime);
        // One period ahead, so that nobody waits for locks when it begins.
        for (var ahead = 0; ahead < 2; ahead++)
        {
            Want(_weeks, _wantedWeeks, _weeks.PeriodOf(now) + ahead, now);
            Want(_days, _wantedDays, _days.PeriodOf(now) + ahead, now);
        }

        var last = long.MinValue;
        foreach (var micros in rows.Times)
        {
            var week = _weeks.PeriodOf(micros);
            if (week != last)
            {
                Want(_weeks, _wantedWeeks, week, now);
                last = week;
            }
        }

        return _wantedWeeks.Count + _wantedDays.Count > 0;
    }

    /// <summary>Makes the partitions that <see cref="Find"/> found.</summary>
    public async Task MakeAsync(Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var old = 0;
        foreach (var week in _wantedWeeks)
        {
            var isOld = _weeks.IsOld(week, _now);
            if (!isOld || old++ < options.PartitionsAtOnceMax)
            {
                await _weeks.MakeAsync(connection, week, isOld, cancellationToken);
                await _windowWeeks.MakeAsync(connection, week, isOld, cancellationToken);
            }
            else
            {
                _weeks.LeaveToDefault(week);
                _windowWeeks.LeaveToDefault(week);
            }
        }

        foreach (var day in _wantedDays)
        {
            await _days.MakeAsync(connection, day, isOld: false, cancellationToken);
        }
    }

    private static void Want(PeriodPartitions partitions, List<long> wanted, long number, long now)
    {
        if (partitions.IsWanted(number, now) && !wanted.Contains(number))
        {
            wanted.Add(number);
        }
    }
}
