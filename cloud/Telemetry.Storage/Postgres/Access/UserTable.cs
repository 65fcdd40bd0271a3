using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Access;
using Telemetry.Storage.Postgres.Maintenance;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Access;

/// <summary>
/// Changes the users of the dashboard at an operator's command. Each change writes its audit row in its transaction.
/// </summary>
public sealed class UserTable(NpgsqlDataSource database, string operatorName)
{
    private const string ListSql =
        "SELECT name, role, sites, disabled FROM telemetry.dashboard_user ORDER BY name";

    private const string AddSql = """
        INSERT INTO telemetry.dashboard_user (
            name, role, sites, salt, rounds, hash, disabled, created_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, false, now(), now()) ON CONFLICT DO NOTHING
        """;

    private const string RemoveSql = "DELETE FROM telemetry.dashboard_user WHERE name = $1";

    private const string PasswordSql = """
        UPDATE telemetry.dashboard_user SET salt = $2, rounds = $3, hash = $4, changed_at = now() WHERE name = $1
        """;

    private const string DisableSql =
        "UPDATE telemetry.dashboard_user SET disabled = $2, changed_at = now() WHERE name = $1";

    // Of a user whose password changed the sessions end; tokens stay, as they have nothing to do with it.
    private const string EndSql = "DELETE FROM telemetry.dashboard_session WHERE user_name = $1 AND (NOT token OR $2)";

    private const string TokenSql = """
        INSERT INTO telemetry.dashboard_session (hash, user_name, token, note, created_at, until)
        SELECT $2, name, true, $3, now(), now() + $4 FROM telemetry.dashboard_user WHERE name = $1
        """;

    /// <summary>All users, by name.</summary>
    public async Task<IReadOnlyList<DashboardUser>> ListAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(ListSql);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var users = new List<DashboardUser>();
        while (await row.ReadAsync(cancellationToken))
        {
            users.Add(DashboardUsers.User(row));
        }

        return users;
    }

    /// <summary>Adds a user; false when there is one of that name.</summary>
    public Task<bool> AddAsync(DashboardUser user, PasswordHash password, CancellationToken cancellationToken) =>
        ChangeAsync(
            "user add", user.Name, $"{user.Role}, {Sites(user.Sites)}".ToLowerInvariant(), endSessions: null,
            AddSql, cancellationToken, ((short)user.Role, NpgsqlDbType.Smallint),
            (user.Sites.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text), (password.Salt, NpgsqlDbType.Bytea),
            (password.Rounds, NpgsqlDbType.Integer), (password.Hash, NpgsqlDbType.Bytea));

    /// <summary>Removes a user with all sessions and tokens; false when there is none of that name.</summary>
    public Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) =>
        ChangeAsync("user remove", name, "", endSessions: null, RemoveSql, cancellationToken);

    /// <summary>Changes the password and ends the user's sessions; false when there is none of that name.</summary>
    public Task<bool> SetPasswordAsync(string name, PasswordHash password, CancellationToken cancellationToken) =>
        ChangeAsync(
            "user password", name, "", endSessions: false, PasswordSql, cancellationToken,
            (password.Salt, NpgsqlDbType.Bytea), (password.Rounds, NpgsqlDbType.Integer),
            (password.Hash, NpgsqlDbType.Bytea));

    /// <summary>
    /// Disables a user, which ends all sessions and tokens, or enables the user again; false when there is none.
    /// </summary>
    public Task<bool> SetDisabledAsync(string name, bool disabled, CancellationToken cancellationToken) => ChangeAsync(
        disabled ? "user disable" : "user enable", name, "", endSessions: disabled ? true : null, DisableSql,
        cancellationToken, (disabled, NpgsqlDbType.Boolean));

    /// <summary>Adds a token by the SHA-256 of its secret; false when there is no user of that name.</summary>
    public Task<bool> AddTokenAsync(
        string name, byte[] token, string note, TimeSpan lasts, CancellationToken cancellationToken) => ChangeAsync(
        "user token", name, note, endSessions: null, TokenSql, cancellationToken, (token, NpgsqlDbType.Bytea),
        (ColumnValues.Text(note), NpgsqlDbType.Text), (lasts, NpgsqlDbType.Interval));

    private static string Sites(IReadOnlyList<string> sites) =>
        sites.Count == 0 ? "all sites" : string.Join(", ", sites);

    private async Task<bool> ChangeAsync(
        string act, string name, string detail, bool? endSessions, string sql, CancellationToken cancellationToken,
        params (object Value, NpgsqlDbType Type)[] values)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = name, NpgsqlDbType = NpgsqlDbType.Text });
        foreach (var (value, type) in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        }

        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            return false;
        }

        await using var batch = new NpgsqlBatch(connection);
        if (endSessions is { } tokensToo)
        {
            var end = new NpgsqlBatchCommand(EndSql);
            end.Parameters.Add(new NpgsqlParameter { Value = name, NpgsqlDbType = NpgsqlDbType.Text });
            end.Parameters.Add(new NpgsqlParameter { Value = tokensToo, NpgsqlDbType = NpgsqlDbType.Boolean });
            batch.BatchCommands.Add(end);
        }

        new OperatorAct(operatorName, act, "", "", name, 0, detail).AddTo(batch);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }
}
