using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Alerts;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>The dead letters of webhooks, for operators.</summary>
public sealed class WebhookDeadLetters
{
    private readonly NpgsqlDataSource _database;

    internal WebhookDeadLetters(NpgsqlDataSource database) => _database = database;

    /// <summary>The newest ones of a webhook, or of all of them, the oldest of these first.</summary>
    public Task<IReadOnlyList<WebhookDeadLetter>> ListAsync(
        string? webhook, int limit, CancellationToken cancellationToken) => ReadAsync(
            """
            SELECT * FROM (
                SELECT id, webhook, event, body, error, given_up_at, retry FROM telemetry.webhook_dead_letter
                WHERE $1 = '' OR webhook = $1 ORDER BY id DESC LIMIT $2) newest
            ORDER BY id
            """,
            cancellationToken, (webhook ?? "", NpgsqlDbType.Text), (limit, NpgsqlDbType.Integer));

    /// <summary>Those of the ids that there are.</summary>
    public Task<IReadOnlyList<WebhookDeadLetter>> FindAsync(
        IReadOnlyCollection<long> ids, CancellationToken cancellationToken) => ReadAsync(
            """
            SELECT id, webhook, event, body, error, given_up_at, retry FROM telemetry.webhook_dead_letter
            WHERE id = ANY($1) ORDER BY id
            """,
            cancellationToken, (ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint));

    /// <summary>
    /// Asks for another attempt, of the ids or of all of a webhook; returns of how many. The process that sends the
    /// webhook makes it.
    /// </summary>
    public Task<int> RetryAsync(
        IReadOnlyCollection<long> ids, string? webhook, CancellationToken cancellationToken) => WriteAsync(
            "UPDATE telemetry.webhook_dead_letter SET retry = true WHERE id = ANY($1) OR webhook = $2",
            ids, webhook, cancellationToken);

    /// <summary>Removes the ids, or all of a webhook; returns how many.</summary>
    public Task<int> DiscardAsync(
        IReadOnlyCollection<long> ids, string? webhook, CancellationToken cancellationToken) => WriteAsync(
            "DELETE FROM telemetry.webhook_dead_letter WHERE id = ANY($1) OR webhook = $2",
            ids, webhook, cancellationToken);

    private async Task<int> WriteAsync(
        string sql, IReadOnlyCollection<long> ids, string? webhook, CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = ids.ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint,
        });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = (object?)webhook ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Text,
        });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<WebhookDeadLetter>> ReadAsync(
        string sql, CancellationToken cancellationToken, params (object Value, NpgsqlDbType Type)[] parameters)
    {
        await using var command = _database.CreateCommand(sql);
        foreach (var (value, type) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var letters = new List<WebhookDeadLetter>();
        while (await reader.ReadAsync(cancellationToken))
        {
            letters.Add(new WebhookDeadLetter(
                reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<byte[]>(3),
                reader.GetString(4))
            {
                GivenUpAt = new DateTimeOffset(reader.GetDateTime(5)),
                IsRetried = reader.GetBoolean(6),
            });
        }

        return letters;
    }
}
