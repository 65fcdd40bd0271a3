using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>
/// The one transaction of a repartition: it changes everything that follows from the number of partitions. Alert
/// outboxes keep their numbers and chains, which only count what was published under that number; so a relay continues
/// after its position. Every partition's row gets a new token, so that its earlier owner cannot commit any more.
/// </summary>
internal static class PartitionChange
{
    private const int GatewaysOfStatement = 10_000;

    // It computes the partitions of many gateways between statements; no owner is working meanwhile.
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(30);

    private const string RowsSql = """
        INSERT INTO telemetry.partition (partition, token, owner, lease_until, commits,
            live_created, live_sequence, live_message, live_stored,
            backlog_created, backlog_sequence, backlog_message, backlog_stored)
        SELECT p, 0, '', '-infinity', 0, 0, 0, '', 0, 0, 0, '', 0 FROM generate_series(0, $1 - 1) p
        ON CONFLICT DO NOTHING
        """;

    private const string PositionsSql = """
        SELECT partition, live_created, live_sequence, backlog_created, backlog_sequence
        FROM telemetry.partition ORDER BY partition
        """;

    // A relay that leads now, or one that published from this database before: in both cases everything must be
    // published.
    private const string WaitingSql = """
        SELECT coalesce(sum(greatest(0, p.alert_number - coalesce(r.number, 0))), 0)::bigint
        FROM telemetry.partition p LEFT JOIN telemetry.relay_position r USING (partition)
        WHERE $1 OR EXISTS (SELECT FROM telemetry.relay_position)
            OR EXISTS (SELECT FROM telemetry.relay WHERE lease_until > now())
        """;

    private const string MoveSql = """
        UPDATE telemetry.gateway g SET partition = u.partition
        FROM unnest($1, $2) u(gateway, partition) WHERE g.gateway = u.gateway AND g.partition <> u.partition
        """;

    private const string ResetSql = """
        UPDATE telemetry.partition SET token = $1, owner = '', lease_until = '-infinity', commits = commits + 1,
            live_created = 0, live_sequence = 0, live_message = '', live_stored = 0,
            backlog_created = 0, backlog_sequence = 0, backlog_message = '', backlog_stored = 0
        """;

    private const string InstallSql = """
        UPDATE telemetry.installation SET partitions = $1, generation = $2, changed_at = now(), changed_by = $3
        """;

    /// <summary>
    /// What must be done before the change can be made, as text; null when nothing. Unpublished alerts only count if
    /// there is a relay: <paramref name="relays"/> is true when this configuration has one.
    /// </summary>
    public static Task<string?> UndoneAsync(
        NpgsqlConnection connection, IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamEnd> ends,
        bool relays, CancellationToken cancellationToken) =>
        UndoneAsync(connection, PositionsSql, ends, relays, cancellationToken);

    /// <summary>
    /// Makes the change. Returns null when it is durable; otherwise what must be done first, and then nothing has
    /// changed. Throws <see cref="InstallationException"/> when the database holds other facts than these.
    /// </summary>
    public static async Task<string?> MakeAsync(
        NpgsqlConnection connection, InstallationFacts from, InstallationFacts to,
        IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamEnd> ends, bool relays, long token,
        CancellationToken cancellationToken)
    {
        await using var transaction = await BesideTransaction.BeginAsync(connection, SilenceMax, cancellationToken);
        await ExecuteAsync(connection, "SELECT FROM telemetry.installation FOR UPDATE", [], cancellationToken);
        if (await InstallationRow.FindAsync(connection, cancellationToken) is var standing && standing != from)
        {
            throw InstallationException.Changed(from, standing ?? from, InstallationException.InDatabase);
        }

        var rows = new NpgsqlParameter
        {
            Value = Math.Max(from.Partitions, to.Partitions),
            NpgsqlDbType = NpgsqlDbType.Integer,
        };
        await ExecuteAsync(connection, RowsSql, [rows], cancellationToken);
        if (await UndoneAsync(connection, PositionsSql + " FOR UPDATE", ends, relays, cancellationToken) is { } undone)
        {
            return undone;
        }

        await MoveGatewaysAsync(connection, to.Partitions, cancellationToken);
        await ExecuteAsync(
            connection, ResetSql, [new() { Value = token, NpgsqlDbType = NpgsqlDbType.Bigint }], cancellationToken);
        await ExecuteAsync(
            connection, InstallSql,
            [
                new() { Value = to.Partitions, NpgsqlDbType = NpgsqlDbType.Integer },
                new() { Value = to.Generation, NpgsqlDbType = NpgsqlDbType.Integer },
                new() { Value = InstallationRow.Version, NpgsqlDbType = NpgsqlDbType.Text },
            ],
            cancellationToken);
        CrashPoint.Reach("before-repartition-commit");
        await transaction.CommitAsync(CancellationToken.None);
        return null;
    }

    private static async Task<string?> UndoneAsync(
        NpgsqlConnection connection, string positionsSql,
        IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamEnd> ends, bool relays,
        CancellationToken cancellationToken)
    {
        var reached = new HashSet<(int, StreamKind)>();
        await using (var command = new NpgsqlCommand(positionsSql, connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                foreach (var (kind, column) in new[] { (StreamKind.Live, 1), (StreamKind.Backlog, 3) })
                {
                    var key = (reader.GetInt32(0), kind);
                    if (ends.TryGetValue(key, out var end) && reader.GetInt64(column) == end.CreatedNanos
                        && reader.GetInt64(column + 1) >= end.Last)
                    {
                        reached.Add(key);
                    }
                }
            }
        }

        if (reached.Count < ends.Count)
        {
            return $"{ends.Count - reached.Count} of {ends.Count} streams are not read to their ends";
        }

        await using var waiting = new NpgsqlCommand(WaitingSql, connection);
        waiting.Parameters.Add(new NpgsqlParameter { Value = relays, NpgsqlDbType = NpgsqlDbType.Boolean });
        return await waiting.ExecuteScalarAsync(cancellationToken) is long and > 0 and var alerts
            ? $"{alerts} alerts are not published to Kafka by a relay"
            : null;
    }

    private static async Task MoveGatewaysAsync(
        NpgsqlConnection connection, int partitions, CancellationToken cancellationToken)
    {
        var gateways = new List<string>();
        await using (var command = new NpgsqlCommand("SELECT gateway FROM telemetry.gateway", connection))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                gateways.Add(reader.GetString(0));
            }
        }

        foreach (var some in gateways.Chunk(GatewaysOfStatement))
        {
            var theirs = some.Select(gateway => GatewayId.Parse(gateway).Partition(partitions)).ToArray();
            await ExecuteAsync(
                connection, MoveSql,
                [
                    new() { Value = some, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                    new() { Value = theirs, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer },
                ],
                cancellationToken);
        }
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
