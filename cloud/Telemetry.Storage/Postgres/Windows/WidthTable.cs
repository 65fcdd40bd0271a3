using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>The table of the widths of windows. It is only added to.</summary>
internal static class WidthTable
{
    /// <summary>The version of the tables that introduced it, with the columns that are read.</summary>
    public const int SinceVersion = 12;

    private const long AdvisoryLock = 0x7465_6c65_7769_6474; // "telewidt"

    private const string ReadSql = """
        SELECT metric, width_seconds, nullif(valid_from, '-infinity'), added_at, added_by, quantiles
        FROM telemetry.window_width ORDER BY id
        """;

    // clock_timestamp: now() is the time at which the transaction began, before it waited for locks.
    private const string LimitsSql = """
        SELECT clock_timestamp(),
            EXISTS (SELECT FROM telemetry.window_part)
                OR EXISTS (SELECT FROM telemetry.gateway WHERE window_from IS NOT NULL),
            (SELECT owner FROM telemetry.partition WHERE lease_until > clock_timestamp() ORDER BY partition LIMIT 1)
        """;

    private const string NewestSql = """
        SELECT s.gateway, w.until
        FROM telemetry.series s
        CROSS JOIN LATERAL (
            SELECT p.start + make_interval(secs => p.width) AS until FROM telemetry.window_part p
            WHERE p.series = s.id AND p.start > clock_timestamp() - interval '5 minutes'
                AND p.start < clock_timestamp() + interval '1 day'
            ORDER BY p.start DESC LIMIT 1) w
        WHERE s.metric LIKE telemetry.like_pattern($1)
        ORDER BY w.until DESC LIMIT 1
        """;

    private const string AddSql = """
        INSERT INTO telemetry.window_width (metric, width_seconds, valid_from, added_at, added_by, quantiles)
        VALUES ($1, $2, coalesce($3, '-infinity'), clock_timestamp(), $4, $5)
        """;

    private const string OthersWaitSql =
        "SET LOCAL lock_timeout = '3s'; LOCK TABLE telemetry.partition IN SHARE ROW EXCLUSIVE MODE";

    private const string ForgetSql = "UPDATE telemetry.partition SET commits = commits + 1";

    /// <summary>The widths, in the order in which they were added.</summary>
    public static async Task<IReadOnlyList<WindowWidth>> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        [.. (await ListAsync(connection, cancellationToken)).Select(a => a.Width)];

    /// <summary>The widths and who added them, in that order.</summary>
    public static async Task<IReadOnlyList<AddedWidth>> ListAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ReadSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var widths = new List<AddedWidth>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var width = new WindowWidth(
                new NamePattern(reader.GetString(0)), reader.GetInt32(1),
                reader.IsDBNull(2) ? WindowWidth.Beginning : ColumnValues.Micros(reader.GetDateTime(2)),
                reader.GetBoolean(5));
            widths.Add(new AddedWidth(width, reader.GetDateTime(3), reader.GetString(4)));
        }

        return widths;
    }

    /// <summary>
    /// Compares a windows file with the table and says how many entries are new; changes nothing. Throws
    /// <see cref="WindowWidthException"/> when the file does not agree with the table.
    /// </summary>
    public static async Task<int> CompareAsync(
        NpgsqlConnection connection, ConfiguredWidths file, CancellationToken cancellationToken)
    {
        var added = WidthComparison.New(file, await ReadAsync(connection, cancellationToken));
        if (added.Count > 0)
        {
            await CheckAsync(connection, file, added, cancellationToken);
        }

        return added.Count;
    }

    /// <summary>
    /// Compares a windows file with the table and adds the new entries, in one transaction. Returns how many were
    /// added. Throws <see cref="WindowWidthException"/> when the file does not agree with the table; nothing is added
    /// then.
    /// </summary>
    public static async Task<int> AddAsync(
        NpgsqlConnection connection, ConfiguredWidths file, string addedBy, CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({AdvisoryLock})", cancellationToken);
        var added = WidthComparison.New(file, await ReadAsync(connection, cancellationToken));
        if (added.Count == 0)
        {
            return 0;
        }

        if ((await LimitsAsync(connection, cancellationToken)).AllowsEveryTime)
        {
            // Nobody may take a partition between this look and our commit: a new owner reads the widths after it took
            // its lease. An owner that was frozen and wakes up finds its memory out of date, and takes a new lease.
            await ExecuteAsync(connection, OthersWaitSql, cancellationToken);
            await ExecuteAsync(connection, ForgetSql, cancellationToken);
        }

        await CheckAsync(connection, file, added, cancellationToken);
        foreach (var entry in added)
        {
            await InsertAsync(connection, entry, addedBy, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return added.Count;
    }

    private static async Task CheckAsync(
        NpgsqlConnection connection, ConfiguredWidths file, IReadOnlyList<WindowWidth> added,
        CancellationToken cancellationToken)
    {
        var limits = await LimitsAsync(connection, cancellationToken);
        var newest = new NewestWindow?[added.Count];
        for (var i = 0; i < added.Count && limits.HasWindows; i++)
        {
            newest[i] = await NewestAsync(connection, added[i].Metric, cancellationToken);
        }

        var first = file.Entries.Count - added.Count + 1;
        if (WidthComparison.Problems(file.File, first, added, limits, newest) is { Count: > 0 } problems)
        {
            throw new WindowWidthException(problems);
        }
    }

    private static async Task<WidthLimits> LimitsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LimitsSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new WidthLimits(
            ColumnValues.Micros(reader.GetDateTime(0)), reader.GetBoolean(1),
            reader.IsDBNull(2) ? null : reader.GetString(2));
    }

    private static async Task<NewestWindow?> NewestAsync(
        NpgsqlConnection connection, NamePattern metric, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(NewestSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = metric.Text, NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new NewestWindow(reader.GetString(0), ColumnValues.Micros(reader.GetDateTime(1)))
            : null;
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection, WindowWidth entry, string addedBy, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(AddSql, connection);
        object from = entry.ValidFrom == WindowWidth.Beginning ? DBNull.Value : ColumnValues.Time(entry.ValidFrom);
        command.Parameters.Add(new NpgsqlParameter { Value = entry.Metric.Text, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(
            new NpgsqlParameter { Value = entry.WidthSeconds, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = from, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(
            new NpgsqlParameter { Value = ColumnValues.Text(addedBy), NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = entry.HasQuantiles });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
