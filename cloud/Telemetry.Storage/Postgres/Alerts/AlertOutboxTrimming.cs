using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The content of one partition's alert outbox after a check.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Relayed">True when a relay works on this database, or has published of this partition.</param>
/// <param name="Waiting">Rows that no relay has published.</param>
/// <param name="Trimmed">Rows that were removed by this check.</param>
public readonly record struct AlertOutboxLook(int Partition, bool Relayed, long Waiting, long Trimmed);

/// <summary>
/// Keeps the alert outbox bounded. Published rows are removed once they are old, except the row at the relay's
/// position. Without a relay the oldest rows are removed, by age and by number. Several processes may do it at once:
/// each row is removed once.
/// </summary>
internal static class AlertOutboxTrimming
{
    /// <summary>The most rows of one statement; each statement is a transaction of its own.</summary>
    private const int StepRows = 10_000;

    private const string LookSql = """
        SELECT p.partition, r.number IS NOT NULL OR EXISTS (SELECT FROM telemetry.relay WHERE lease_until > now()),
            p.alert_number, coalesce(r.number, 0),
            coalesce(
                (SELECT min(o.number) FROM telemetry.alert_outbox o WHERE o.partition = p.partition),
                p.alert_number + 1)
        FROM telemetry.partition p LEFT JOIN telemetry.relay_position r USING (partition)
        WHERE p.alert_number > 0 ORDER BY p.partition
        """;

    // Removes up to the first row that must stay, so that the rest has no gap.
    private const string TrimSql = """
        DELETE FROM telemetry.alert_outbox
        WHERE partition = $1 AND number >= $2 AND number < coalesce(
            (SELECT min(number) FROM telemetry.alert_outbox
             WHERE partition = $1 AND number >= $2 AND number < $3 AND NOT CASE WHEN $4
                THEN number < $5 AND stored_at < now() - $6
                ELSE number <= $5 OR stored_at < now() - $6 END),
            $3)
        """;

    public static async Task<IReadOnlyList<AlertOutboxLook>> RunAsync(
        NpgsqlConnection connection, AlertOutboxOptions options, CancellationToken cancellationToken)
    {
        var looks = new List<AlertOutboxLook>();
        foreach (var found in await LookAsync(connection, cancellationToken))
        {
            var bound = found.Relayed ? found.Published : found.Newest - options.RowsMax;
            var trimmed = 0L;
            for (long step = StepRows; step == StepRows && found.Oldest <= found.Newest; trimmed += step)
            {
                step = await TrimAsync(
                    connection, found, found.Oldest + trimmed, bound, options.Keep, cancellationToken);
            }

            var gone = Math.Max(found.Published, found.Oldest - 1 + trimmed);
            looks.Add(new AlertOutboxLook(found.Partition, found.Relayed, found.Newest - gone, trimmed));
        }

        return looks;
    }

    private static async Task<List<Found>> LookAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(LookSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<Found>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(new Found(
                reader.GetInt32(0), reader.GetBoolean(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4)));
        }

        return found;
    }

    private static async Task<long> TrimAsync(
        NpgsqlConnection connection, Found found, long first, long bound, TimeSpan keep,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TrimSql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = found.Partition, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = first, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = first + StepRows, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = found.Relayed, NpgsqlDbType = NpgsqlDbType.Boolean });
        command.Parameters.Add(new NpgsqlParameter { Value = bound, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter { Value = keep, NpgsqlDbType = NpgsqlDbType.Interval });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private readonly record struct Found(int Partition, bool Relayed, long Newest, long Published, long Oldest);
}
