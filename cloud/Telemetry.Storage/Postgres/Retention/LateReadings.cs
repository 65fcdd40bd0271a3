using Npgsql;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>
/// Where readings have come since the last run whose time retention had passed. Retention removes nothing before the
/// gateway's windows are complete, so each of them has made a revision.
/// </summary>
internal sealed class LateReadings
{
    private const string LookSql = "SELECT now()";

    // What comes late from the first run on is looked for, also where that run is delayed.
    private const string BeginSql = """
        INSERT INTO telemetry.retirement_look (looked_at) VALUES (now()) ON CONFLICT (one) DO NOTHING
        """;

    // A commit is seen later than its time by as long as it takes.
    private const string FindSql = """
        SELECT DISTINCT r.series, date_trunc('day', r.start, 'UTC')
        FROM telemetry.window_revision r
        WHERE r.at > (SELECT looked_at FROM telemetry.retirement_look) - interval '1 hour'
        """;

    private const string LookedSql = """
        INSERT INTO telemetry.retirement_look (looked_at) VALUES ($1)
        ON CONFLICT (one) DO UPDATE SET looked_at = excluded.looked_at
        """;

    // Those of the last hour are needed once more. Windows that retention has removed need none.
    private const string RevisionsSql = """
        DELETE FROM telemetry.window_revision WHERE ctid = ANY (ARRAY(
            SELECT r.ctid
            FROM telemetry.retirement k
            JOIN telemetry.series s ON s.gateway = k.gateway AND s.metric = k.metric
            JOIN telemetry.window_revision r ON r.series = s.id AND r.width = k.width AND r.start < k.begun
            WHERE k.width > 0 AND r.at < $1 - interval '1 hour'
            LIMIT $2))
        """;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly Dictionary<int, List<DateTime>> _days = [];
    private DateTime _lookedAt;

    public static async Task<LateReadings> FindAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var late = new LateReadings();
        await using (var begin = new NpgsqlCommand(BeginSql, connection))
        {
            await begin.ExecuteNonQueryAsync(cancellationToken);
        }

        await using (var look = new NpgsqlCommand(LookSql, connection))
        {
            late._lookedAt = (DateTime)(await look.ExecuteScalarAsync(cancellationToken))!;
        }

        await using var command = new NpgsqlCommand(FindSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!late._days.TryGetValue(reader.GetInt32(0), out var days))
            {
                late._days[reader.GetInt32(0)] = days = [];
            }

            days.Add(reader.GetDateTime(1));
        }

        return late;
    }

    /// <summary>Of a group that is done, the series of which readings have come into this week or chunk.</summary>
    public RetentionGroup? Of(RetentionGroup group, RetentionPiece piece)
    {
        var at = _days.Count == 0 ? [] : Enumerable.Range(0, group.Series.Length)
            .Where(i => _days.TryGetValue(group.Series[i], out var days)
                && days.Exists(day => day < piece.To && day + Day > piece.From))
            .ToArray();
        return at.Length == 0 ? null : group with
        {
            Series = [.. at.Select(i => group.Series[i])],
            Devices = [.. at.Select(i => group.Devices[i])],
        };
    }

    /// <summary>
    /// What has come is removed: the next run looks for what comes from now on. Removes the revisions of windows that
    /// are removed.
    /// </summary>
    public async Task DoneAsync(NpgsqlConnection connection, int rowsMax, CancellationToken cancellationToken)
    {
        while (await ExecuteAsync(connection, RevisionsSql, rowsMax, cancellationToken) >= rowsMax)
        {
        }

        await ExecuteAsync(connection, LookedSql, null, cancellationToken);
    }

    private async Task<int> ExecuteAsync(
        NpgsqlConnection connection, string sql, int? rowsMax, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = _lookedAt });
        if (rowsMax is { } max)
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = max });
        }

        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
