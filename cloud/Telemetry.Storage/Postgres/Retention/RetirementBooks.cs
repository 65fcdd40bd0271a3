using Npgsql;
using NpgsqlTypes;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>
/// Writes what retention removes: how much in which month, and up to which event time. In the transactions that remove
/// it.
/// </summary>
internal static class RetirementBooks
{
    private const string CountSql = """
        INSERT INTO telemetry.retirement_count AS c (gateway, metric, width, month, removed)
        SELECT s.gateway, s.metric, u.width, u.month, sum(u.removed)
        FROM unnest($1, $2, $3, $4) u(series, width, month, removed)
        JOIN telemetry.series s ON s.id = u.series
        GROUP BY s.gateway, s.metric, u.width, u.month
        ON CONFLICT (gateway, metric, width, month) DO UPDATE SET removed = c.removed + excluded.removed
        """;

    private const string MarkSql = """
        INSERT INTO telemetry.retirement AS r (gateway, metric, width, begun, done)
        SELECT * FROM unnest($1, $2, $3, $4, $5)
        ON CONFLICT (gateway, metric, width) DO UPDATE SET
            begun = greatest(r.begun, excluded.begun), done = greatest(r.done, excluded.done)
        """;

    /// <summary>Adds what was removed.</summary>
    public static async Task CountAsync(
        NpgsqlConnection connection, IReadOnlyCollection<RemovedRows> removed, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(CountSql, connection);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. removed.Select(r => r.Series)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. removed.Select(r => r.Width)] });
        command.Parameters.Add(new NpgsqlParameter<DateOnly[]> { TypedValue = [.. removed.Select(r => r.Month)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. removed.Select(r => r.Count)] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Before <paramref name="until"/> something of these groups may be removed from now on; with <paramref
    /// name="done"/>, everything is.
    /// </summary>
    public static async Task MarkAsync(
        NpgsqlConnection connection, IReadOnlyCollection<RetentionGroup> groups, Func<RetentionGroup, DateTime> until,
        bool done, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(MarkSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. groups.Select(g => g.Gateway)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. groups.Select(g => g.Metric)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. groups.Select(g => g.Width)] });
        Add(command, groups.Select(until));
        Add(command, groups.Select(g => done ? until(g) : g.Done));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(NpgsqlCommand command, IEnumerable<DateTime> times) =>
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = times.Select(time => DateTime.SpecifyKind(time, DateTimeKind.Utc)).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
        });
}
