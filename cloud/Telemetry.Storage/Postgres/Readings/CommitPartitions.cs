using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Plain PostgreSQL only: the partitions that a commit needs before it writes, weeks of parts of windows and days of
/// the frame register. Readings need none: they arrive in one table, see <see cref="ReadingIndexing"/>.
/// </summary>
internal sealed class CommitPartitions(PostgresStoreOptions options, TimeProvider time) : IDisposable
{
    private readonly PeriodPartitions _weeks = new("window_part", "window_part", Periods.Week, options);
    private readonly PeriodPartitions _days = new("frame_register", "frame_register", Periods.Day, options);
    private readonly List<long> _wantedWeeks = [], _wantedDays = [];
    private readonly SemaphoreSlim _one = new(1);
    private long _now;

    /// <summary>How many partitions could not be made; the default partition has their rows.</summary>
    public int LeftToDefault => _weeks.LeftToDefault + _days.LeftToDefault;

    /// <summary>
    /// Makes the partitions that are missing for these readings. <paramref name="onConnection"/> calls a function with
    /// a connection. One caller at a time; others wait.
    /// </summary>
    public async Task EnsureAsync(
        ReadingBuffer readings, Func<Func<NpgsqlConnection, Task<bool>>, Task> onConnection,
        CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (Find(readings))
            {
                await onConnection(connection => MakeAsync(connection, cancellationToken));
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private bool Find(ReadingBuffer rows)
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

        // A division for each reading would be felt.
        var (from, to) = (0L, 0L);
        foreach (var micros in rows.Times)
        {
            if (micros < from || micros >= to)
            {
                var week = _weeks.PeriodOf(micros);
                (from, to) = _weeks.TimesOf(week);
                Want(_weeks, _wantedWeeks, week, now);
            }
        }

        return _wantedWeeks.Count + _wantedDays.Count > 0;
    }

    private async Task<bool> MakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await _weeks.MakeAsync(connection, _wantedWeeks, _now, cancellationToken);
        await _days.MakeAsync(connection, _wantedDays, _now, cancellationToken);
        return true;
    }

    private static void Want(PeriodPartitions partitions, List<long> wanted, long number, long now)
    {
        if (partitions.IsWanted(number, now) && !wanted.Contains(number))
        {
            wanted.Add(number);
        }
    }
}
