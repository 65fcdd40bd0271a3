using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Devices;

/// <summary>
/// A device that moved from one gateway to another: its readings until <paramref name="At"/> come from the one, later
/// ones from the other. The views give it one history.
/// </summary>
/// <param name="Device">The device's name, at both gateways.</param>
/// <param name="From">The gateway that it left.</param>
/// <param name="To">The gateway that it came to.</param>
/// <param name="At">The event time, in UTC.</param>
public sealed record DeviceMove(string Device, string From, string To, DateTime At)
{
    // A window belongs to one stay of a device as a whole, and no window is longer than five minutes.
    private static readonly TimeSpan Apart = TimeSpan.FromMinutes(10);

    private const string LockSql = "LOCK TABLE telemetry.device_move IN SHARE ROW EXCLUSIVE MODE";

    private const string LookSql = """
        SELECT EXISTS (SELECT FROM telemetry.series WHERE gateway = $2 AND device = $1)
                OR EXISTS (SELECT FROM telemetry.device_metadata WHERE gateway = $2 AND device = $1),
            (SELECT max(at) FROM telemetry.device_move
             WHERE device = $1 AND (from_gateway IN ($2, $3) OR to_gateway IN ($2, $3))),
            EXISTS (SELECT FROM telemetry.series s JOIN telemetry.window_part p ON p.series = s.id
                    WHERE s.gateway = $2 AND s.device = $1 AND p.start >= $4),
            EXISTS (SELECT FROM telemetry.series s JOIN telemetry.window_part p ON p.series = s.id
                    WHERE s.gateway = $3 AND s.device = $1 AND p.start + make_interval(secs => p.width) <= $4),
            EXISTS (SELECT FROM telemetry.device_metadata WHERE gateway = $3 AND device = $1)
        """;

    // What is known of the device goes with it, unless it is described at its new gateway already.
    private static readonly string[] WriteSql =
    [
        """
        INSERT INTO telemetry.device_move (device, from_gateway, to_gateway, at, moved_by)
        VALUES ($1, $2, $3, $4, $5 || ' (database user ' || session_user || ')')
        """,
        """
        INSERT INTO telemetry.device_metadata (gateway, device, site, location, labels, time_zone, limits)
        SELECT $2, $1, site, location, labels, time_zone, limits FROM telemetry.device_metadata
        WHERE gateway = $3 AND device = $1
        ON CONFLICT (gateway, device) DO NOTHING
        """,
        "DELETE FROM telemetry.device_metadata WHERE gateway = $2 AND device = $1",
    ];

    /// <summary>
    /// Writes the move, with a row of the audit. Returns what keeps it from being written; else null, and adds to
    /// <paramref name="remarks"/> what the operator should know.
    /// </summary>
    internal async Task<string?> RunAsync(
        NpgsqlDataSource database, string operatorName, List<string> remarks, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        if (await FindProblemAsync(connection, remarks, cancellationToken) is { } problem)
        {
            return problem;
        }

        await using var batch = new NpgsqlBatch(connection);
        Add(batch, WriteSql[0], Device, From, To, At, operatorName);
        Add(batch, WriteSql[1], Device, To, From);
        Add(batch, WriteSql[2], Device, From);
        new OperatorAct(operatorName, "devices move", From, "", "", 0, $"{Device} to {To} at {At:u}").AddTo(batch);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    private async Task<string?> FindProblemAsync(
        NpgsqlConnection connection, List<string> remarks, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(LockSql) } };
        Add(batch, LookSql, Device, From, To, At);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (!reader.GetBoolean(0))
        {
            return $"gateway {From} has no device {Device}";
        }

        if (!reader.IsDBNull(1) && reader.GetDateTime(1) + Apart > At)
        {
            return $"device {Device} moved at {reader.GetDateTime(1):u} already; a further move must be at least "
                + $"{Apart.TotalMinutes:0} minutes later";
        }

        if (reader.GetBoolean(2))
        {
            remarks.Add($"gateway {From} has readings of {Device} from {At:u} on: they stay a history of their own");
        }

        if (reader.GetBoolean(3))
        {
            remarks.Add($"gateway {To} has readings of {Device} from before {At:u}: they belong to no history now");
        }

        if (reader.GetBoolean(4))
        {
            remarks.Add($"{Device} is described at gateway {To} already: this description counts from now on");
        }

        return null;
    }

    private static void Add(NpgsqlBatch batch, string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter
            {
                Value = value,
                NpgsqlDbType = value is DateTime ? NpgsqlDbType.TimestampTz : NpgsqlDbType.Text,
            });
        }

        batch.BatchCommands.Add(command);
    }
}
