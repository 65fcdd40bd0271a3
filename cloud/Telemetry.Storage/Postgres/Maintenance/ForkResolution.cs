using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Commit;
using Telemetry.Storage.Postgres.Partitions;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>A gateway with a fork that is shown.</summary>
public sealed record ShownFork(string Gateway, string What, DateTime ChangedAt);

/// <summary>
/// Ends what is shown of a gateway's forks by an operator's word. In ONE transaction that has the partition's
/// turn: the texts move to those that are resolved, the audit gets a row, and the partition one more commit, so that an
/// owner at work finds its memory out of date and loads it again. What is found afterwards is shown again.
/// </summary>
public sealed class ForkResolution(NpgsqlDataSource database)
{
    /// <summary>The most characters of resolved forks that are remembered of a gateway; the oldest go.</summary>
    public const int ResolvedMax = 16_384;

    private const string ListSql =
        "SELECT gateway, fork, changed_at FROM telemetry.gateway WHERE fork <> '' ORDER BY gateway";

    private const string CountSql = "UPDATE telemetry.partition SET commits = commits + 1 WHERE partition = $1";

    private static readonly string ResolveSql = $"""
        UPDATE telemetry.gateway
        SET fork_resolved = right(fork_resolved || fork || E'\n', {ResolvedMax}), fork = '', changed_at = now()
        WHERE gateway = $1
        """;

    /// <summary>The gateways with a fork that is shown.</summary>
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

    /// <summary>Resolves a gateway's forks; gives what was shown, or null where nothing was.</summary>
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
