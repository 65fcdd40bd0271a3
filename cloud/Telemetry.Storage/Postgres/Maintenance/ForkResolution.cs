using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Partitions;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>A gateway with forks that no operator has resolved.</summary>
public sealed record ShownFork(string Gateway, string What, DateTime ChangedAt);

/// <summary>
/// Marks a gateway's forks as resolved at an operator's command. One transaction that has the partition's turn moves
/// the texts to the resolved ones, adds a row to the audit table and one more commit to the partition, so that a
/// working owner finds its memory out of date and loads it again. A fork that is found later is shown again.
/// </summary>
public sealed class ForkResolution(NpgsqlDataSource database)
{
    /// <summary>The most characters of resolved forks kept for a gateway; the oldest are removed.</summary>
    public const int ResolvedMax = 16_384;

    private const string ListSql =
        "SELECT gateway, fork, changed_at FROM telemetry.gateway WHERE fork <> '' ORDER BY gateway";

    private const string CountSql = "UPDATE telemetry.partition SET commits = commits + 1 WHERE partition = $1";

    private static readonly string ResolveSql = $"""
        UPDATE telemetry.gateway
        SET fork_resolved = right(fork_resolved || fork || E'\n', {ResolvedMax}), fork = '', changed_at = now()
        WHERE gateway = $1
        """;

    /// <summary>The gateways with forks that are not resolved.</summary>
    public async Task<IReadOnlyList<ShownFork>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(ListSql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var forks = new List<ShownFork>();
        while (await reader.ReadAsync(cancellationToken))
        {
            forks.Add(new ShownFork(reader.GetString(0), reader.GetString(1), reader.GetDateTime(2)));
        }

        return forks;
    }

    /// <summary>Resolves a gateway's forks. Returns their texts, or null if there were none.</summary>
    public async Task<string?> ResolveAsync(
        string gateway, string reason, string note, string operatorName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        if (await PartitionLock.TakeTurnAsync(connection, gateway, cancellationToken) is not { } partition
            || await ForkAsync(connection, gateway, cancellationToken) is not { Length: > 0 } fork)
        {
            return null;
        }

        await using var batch = new NpgsqlBatch(connection);
        Add(batch, ResolveSql, gateway, NpgsqlDbType.Text);
        new OperatorAct(operatorName, "forks resolve", gateway, reason, note, 0, fork).AddTo(batch);
        Add(batch, CountSql, partition, NpgsqlDbType.Integer);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return fork;
    }

    private static async Task<string?> ForkAsync(
        NpgsqlConnection connection, string gateway, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT fork FROM telemetry.gateway WHERE gateway = $1", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = gateway, NpgsqlDbType = NpgsqlDbType.Text });
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    private static void Add(NpgsqlBatch batch, string sql, object value, NpgsqlDbType type) =>
        batch.BatchCommands.Add(new NpgsqlBatchCommand(sql)
        {
            Parameters = { new NpgsqlParameter { Value = value, NpgsqlDbType = type } },
        });
}
