using System.Globalization;
using Npgsql;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Plain PostgreSQL only: makes the partitions of a table, one for each period, before rows of that period are written.
/// A period outside of the allowed range, or whose partition cannot be made now (a long query holds a lock; the default
/// partition already has rows of it), stays in the default partition, which accepts every row. One thread at a time.
/// </summary>
/// <param name="parent">The table that has the partitions.</param>
/// <param name="name">What the names of the partitions begin with; the rest is the first day.</param>
/// <param name="period">How long each partition is.</param>
/// <param name="options">The limits.</param>
/// <param name="rowsWait">Whether the rows can wait: a period whose partition cannot be made because of a lock is tried
/// again later, and stays wanted until then.</param>
internal sealed class PeriodPartitions(
    string parent, string name, TimeSpan period, PostgresStoreOptions options, bool rowsWait = false)
{
    private const long AdvisoryLock = 0x7465_6c65_7061_7274; // "telepart"

    private readonly HashSet<long> _done = [];

    /// <summary>How many partitions could not be made; the default partition has their rows.</summary>
    public int LeftToDefault { get; private set; }

    /// <summary>The period that contains a time, counted from 1970; the first one began on a Thursday.</summary>
    public long PeriodOf(long micros) => Math.DivRem(micros, Micros(period)) is var (quotient, rest) && rest < 0
        ? quotient - 1
        : quotient;

    /// <summary>The times of a period, in microseconds since 1970: [from, to).</summary>
    public (long From, long To) TimesOf(long number) => (number * Micros(period), (number + 1) * Micros(period));

    /// <summary>Whether a partition should be made for a period.</summary>
    public bool IsWanted(long number, long nowMicros) => !_done.Contains(number)
        && number >= PeriodOf(options.PartitionsOldest.ToUnixTimeMilliseconds() * 1000)
        && number <= PeriodOf(nowMicros + Micros(options.PartitionsAhead));

    /// <summary>
    /// Makes the partitions of these periods that are wanted and not made; of old ones only as many as are allowed at
    /// once.
    /// </summary>
    public async Task MakeAsync(
        NpgsqlConnection connection, IEnumerable<long> numbers, long nowMicros, CancellationToken cancellationToken)
    {
        var old = 0;
        foreach (var number in numbers.Where(n => IsWanted(n, nowMicros)))
        {
            var isOld = IsOld(number, nowMicros);
            if (isOld && old++ >= options.PartitionsAtOnceMax)
            {
                LeaveToDefault(number);
            }
            else
            {
                await MakeAsync(connection, number, isOld, cancellationToken);
            }
        }
    }

    private bool IsOld(long number, long nowMicros) => number < PeriodOf(nowMicros - Micros(options.PartitionsBack));

    // In a transaction of its own; an old one only while the table has less than the given number.
    private async Task MakeAsync(
        NpgsqlConnection connection, long number, bool isOld, CancellationToken cancellationToken)
    {
        if (isOld && await CountAsync(connection, cancellationToken) >= options.PartitionsMax)
        {
            LeaveToDefault(number);
            return;
        }

        var first = DateTime.UnixEpoch + (period * number);
        var table = string.Create(CultureInfo.InvariantCulture, $"{name}_{first:yyyyMMdd}");
        // Attaching a table lets readers and writers continue; CREATE … PARTITION OF would stop them all.
        var sql = string.Create(CultureInfo.InvariantCulture, $"""
            DO $$ BEGIN
                SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms';
                PERFORM pg_advisory_xact_lock({AdvisoryLock});
                IF to_regclass('telemetry.{table}') IS NULL THEN
                    CREATE TABLE telemetry.{table} (LIKE telemetry.{parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
                    ALTER TABLE telemetry.{parent} ATTACH PARTITION telemetry.{table}
                        FOR VALUES FROM ('{first:yyyy-MM-dd}Z') TO ('{first + period:yyyy-MM-dd}Z');
                END IF;
            END $$
            """);
        try
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e) when (rowsWait
            && e.SqlState is (PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected))
        {
            return;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.CheckViolation
                or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.DeadlockDetected)
        {
            LeftToDefault++;
        }

        _done.Add(number);
    }

    private void LeaveToDefault(long number)
    {
        LeftToDefault++;
        _done.Add(number);
    }

    private async Task<long> CountAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT count(*) FROM pg_inherits WHERE inhparent = 'telemetry.{parent}'::regclass", connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
