using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>
/// Removes dead letters for good at an operator's command. Their readings stay rejected in the books view: only the
/// kept bytes are removed, and the audit row says how many readings they were. No owner needs to be informed, because
/// none keeps letters in memory.
/// </summary>
public sealed class DeadLetterDiscard(NpgsqlDataSource database)
{
    private const string RemoveSql = """
        DELETE FROM telemetry.dead_letter WHERE id = ANY($1)
        RETURNING id, CASE WHEN retried_at IS NULL THEN readings ELSE 0 END
        """;

    /// <summary>Removes letters of one gateway in one transaction; returns those that existed.</summary>
    public async Task<IReadOnlyList<(long Id, int Readings)>> RunAsync(
        string gateway, IReadOnlyList<long> ids, string note, string operatorName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        var removed = await RemoveAsync(connection, ids, cancellationToken);
        if (removed.Count > 0)
        {
            await using var batch = new NpgsqlBatch(connection);
            new OperatorAct(
                operatorName, "dead-letters discard", gateway, "", note, removed.Sum(r => (long)r.Readings),
                $"{removed.Count} letters: {string.Join(' ', removed.Select(r => r.Id).Order())}").AddTo(batch);
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return removed;
    }

    private static async Task<List<(long Id, int Readings)>> RemoveAsync(
        NpgsqlConnection connection, IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(RemoveSql, connection);
        command.Parameters.Add(
            new NpgsqlParameter { Value = ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var removed = new List<(long, int)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            removed.Add((reader.GetInt64(0), reader.GetInt32(1)));
        }

        return removed;
    }
}
