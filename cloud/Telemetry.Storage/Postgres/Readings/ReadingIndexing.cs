using Npgsql;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Plain PostgreSQL only. Readings are stored in reading_arrived, which has no index. This moves them, sorted by series
/// and time, to the weeks of reading_indexed, so that few rows have to be scanned. A step is one transaction, which
/// deletes rows here and inserts them there: every snapshot sees each reading once, no lock is taken that a reader or a
/// commit waits for, and after a crash the next run goes on. One process at a time. See
/// docs/adr/0050-readings-arrive-without-an-index-and-are-moved.md.
/// </summary>
internal sealed class ReadingIndexing(PostgresStoreOptions options, TimeProvider time)
{
    private const long AdvisoryLock = 0x7465_6c65_696e_6465; // "teleinde"

    /// <summary>The most pages of one step: 16 MiB, about 320,000 readings.</summary>
    private const int StepPages = 2048;

    // Without statistics of these tables the server expects few series of a gateway or a site, and scans what arrived
    // once for each of them. A database that was restored from a dump has none until autovacuum comes.
    private const string AnalyzeSql = """
        DO $$
        DECLARE
            unknown text;
        BEGIN
            FOR unknown IN
                SELECT name FROM unnest(ARRAY['series', 'device_metadata']) name
                WHERE pg_relation_size(('telemetry.' || name)::regclass) > 0
                    AND NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = 'telemetry' AND tablename = name)
            LOOP
                EXECUTE format('ANALYZE telemetry.%I', unknown);
            END LOOP;
        END $$
        """;

    private readonly PeriodPartitions _weeks = new("reading_indexed", "reading", Periods.Week, options, rowsWait: true);

    private readonly UpkeepSession _session = new(
        options,
        new UpkeepWork(
            "move readings to where they are indexed", AdvisoryLock, options.IndexingTimeout, options.IndexingPercent,
            "work_mem"),
        time);

    private long _moved;

    /// <summary>How many partitions could not be made; the default partition has their rows.</summary>
    public int LeftToDefault => _weeks.LeftToDefault;

    /// <summary>How many readings were moved.</summary>
    public long Moved => Interlocked.Read(ref _moved);

    /// <summary>
    /// Moves readings until few are left, and builds the index of one week that has none. Does nothing while another
    /// process does it.
    /// </summary>
    public Task RunAsync(CancellationToken cancellationToken) => _session.RunAsync(
        async connection =>
        {
            await ExecuteAsync(connection, AnalyzeSql, cancellationToken);
            while (await IsDueAsync(connection, cancellationToken)
                && await MoveAllAsync(connection, cancellationToken) > 0)
            {
            }

            await new WeekIndexes(connection, options).BuildOneAsync(cancellationToken);
        },
        cancellationToken);

    private Task<bool> IsDueAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ScalarAsync<bool>(
            connection,
            $"SELECT count(*) = {options.ArrivedReadings} "
            + $"FROM (SELECT FROM telemetry.reading_arrived LIMIT {options.ArrivedReadings}) rows",
            cancellationToken);

    /// <summary>Moves what the table has now, step by step, and frees its space.</summary>
    private async Task<long> MoveAllAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var pages = await ScalarAsync<long>(
            connection,
            "SELECT pg_relation_size('telemetry.reading_arrived') / current_setting('block_size')::bigint",
            cancellationToken);
        var moved = 0L;
        for (var from = 0L; from < pages; from += StepPages)
        {
            var start = time.GetTimestamp();
            var step = await MoveAsync(connection, from, cancellationToken);
            moved += step;
            Interlocked.Add(ref _moved, step);
            if (from + StepPages >= pages)
            {
                await ExecuteAsync(connection, "VACUUM (SKIP_LOCKED) telemetry.reading_arrived", cancellationToken);
            }

            await _session.PauseAsync(start, cancellationToken);
        }

        return moved;
    }

    private async Task<int> MoveAsync(NpgsqlConnection connection, long from, CancellationToken cancellationToken)
    {
        var range = $"ctid >= '({from},0)'::tid AND ctid < '({from + StepPages},0)'::tid";
        var weeks = await FindWeeksAsync(connection, range, cancellationToken);
        var now = ColumnValues.Micros(time.GetUtcNow().UtcDateTime);
        var numbers = weeks.ConvertAll(week => _weeks.PeriodOf(ColumnValues.Micros(week)));
        // One week ahead, so that nothing waits for locks when it begins.
        var current = _weeks.PeriodOf(now);
        await _weeks.MakeAsync(connection, [current, current + 1, .. numbers], now, cancellationToken);
        var ready = weeks.Where((_, i) => !_weeks.IsWanted(numbers[i], now)).ToArray();
        if (ready.Length < weeks.Count && ready.Length == 0)
        {
            throw new StoreException(
                $"A query holds a lock, so that the partition of the week {weeks[0]:yyyy-MM-dd} cannot be made.",
                isDataFault: false, mayHaveCommitted: false);
        }

        // Only of the weeks that were seen: a reading of another one may have arrived since.
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync(
            connection,
            $"SET LOCAL lock_timeout = '{(long)options.PartitionLockWait.TotalMilliseconds}ms'; {ReadingTable.LockSql}",
            cancellationToken);
        await using var command = new NpgsqlCommand($"""
            WITH moved AS (
                DELETE FROM telemetry.reading_arrived
                WHERE {range} AND date_bin('7 days', time, '1970-01-01Z') = ANY ($1)
                RETURNING time, i, f, series, flags, t)
            INSERT INTO telemetry.reading_indexed (time, i, f, series, flags, t)
            SELECT time, i, f, series, flags, t FROM moved ORDER BY series, time
            """, connection);
        command.Parameters.Add(new NpgsqlParameter<DateTime[]> { TypedValue = ready });
        var moved = await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return moved;
    }

    private static async Task<List<DateTime>> FindWeeksAsync(
        NpgsqlConnection connection, string range, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT DISTINCT date_bin('7 days', time, '1970-01-01Z') FROM telemetry.reading_arrived WHERE {range}
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var weeks = new List<DateTime>();
        while (await reader.ReadAsync(cancellationToken))
        {
            weeks.Add(reader.GetDateTime(0));
        }

        return weeks;
    }

    private static async Task<T> ScalarAsync<T>(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
