using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Retention;

namespace Telemetry.Storage.Postgres.Retention;

/// <summary>Finds what is old enough to be removed.</summary>
internal static class RetentionGroups
{
    // Never what may still belong to a window that is not complete, or that a new owner has to fold anew. A watermark
    // may be as early as a time can be, and the lateness lies before it.
    private const string SeriesSql = """
        SELECT s.gateway, s.metric, array_agg(s.id ORDER BY s.id), array_agg(s.device_id ORDER BY s.id),
               greatest(timestamptz '0001-01-02Z',
                   least(g.watermark - max(s.extra_lateness_micros) * interval '1 microsecond', g.window_from))
        FROM telemetry.series s JOIN telemetry.gateway g ON g.gateway = s.gateway
        WHERE g.watermark IS NOT NULL
        GROUP BY s.gateway, s.metric, g.watermark, g.window_from
        """;

    private const string DoneSql = "SELECT gateway, metric, width, done FROM telemetry.retirement";

    // Rules that keep longer now: what is removed is gone, but what comes later is removed when its time has come.
    private const string KeepLongerSql = """
        UPDATE telemetry.retirement r SET done = u.done
        FROM unnest($1, $2, $3, $4) u(gateway, metric, width, done)
        WHERE r.gateway = u.gateway AND r.metric = u.metric AND r.width = u.width
        """;

    /// <summary>The groups that have a rule, by the database's clock.</summary>
    public static async Task<List<RetentionGroup>> LoadAsync(
        NpgsqlConnection connection, RetentionRules rules, CancellationToken cancellationToken)
    {
        var done = await ReadDoneAsync(connection, cancellationToken);
        var now = await ReadNowAsync(connection, cancellationToken);
        var groups = new List<RetentionGroup>();
        await using (var command = new NpgsqlCommand(SeriesSql, connection))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                if (rules.Of(reader.GetString(1)) is { } rule)
                {
                    groups.AddRange(Of(reader, rule, now, done));
                }
            }
        }

        await KeepLongerAsync(connection, groups, done, cancellationToken);
        return groups;
    }

    private static IEnumerable<RetentionGroup> Of(
        NpgsqlDataReader row, RetentionRule rule, DateTime now,
        Dictionary<(string Gateway, string Metric, int Width), DateTime> done)
    {
        var (gateway, metric) = (row.GetString(0), row.GetString(1));
        var (series, devices) = (row.GetFieldValue<int[]>(2), row.GetFieldValue<int[]>(3));
        var complete = row.GetDateTime(4);
        var spans = rule.Windows.Select(window => (Width: window.Key, Keep: window.Value));
        foreach (var (width, keep) in rule.Readings is { } readings ? spans.Prepend((0, readings)) : spans)
        {
            var expired = WholeWindows(now - keep < complete ? now - keep : complete);
            var before = done.GetValueOrDefault((gateway, metric, width), DateTime.MinValue);
            yield return new RetentionGroup(
                gateway, metric, width, series, devices, expired, before < expired ? before : expired);
        }
    }

    // No window reaches beyond a multiple of five minutes.
    private static DateTime WholeWindows(DateTime time) =>
        time.AddTicks(-((time - DateTime.UnixEpoch).Ticks % TimeSpan.FromMinutes(5).Ticks));

    private static async Task KeepLongerAsync(
        NpgsqlConnection connection, List<RetentionGroup> groups,
        Dictionary<(string Gateway, string Metric, int Width), DateTime> done, CancellationToken cancellationToken)
    {
        var now = groups.ToDictionary(g => (g.Gateway, g.Metric, g.Width), g => g.Done);
        var less = done.Select(d => (d.Key, Was: d.Value, Is: now.GetValueOrDefault(d.Key, DateTime.MinValue)))
            .Where(d => d.Is < d.Was).ToArray();
        if (less.Length == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand(KeepLongerSql, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. less.Select(d => d.Key.Gateway)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. less.Select(d => d.Key.Metric)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. less.Select(d => d.Key.Width)] });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = less.Select(d => d.Is).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
        });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<Dictionary<(string Gateway, string Metric, int Width), DateTime>> ReadDoneAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(DoneSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var done = new Dictionary<(string, string, int), DateTime>();
        while (await reader.ReadAsync(cancellationToken))
        {
            done[(reader.GetString(0), reader.GetString(1), reader.GetInt32(2))] = reader.GetDateTime(3);
        }

        return done;
    }

    private static async Task<DateTime> ReadNowAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT now()", connection);
        return (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}
