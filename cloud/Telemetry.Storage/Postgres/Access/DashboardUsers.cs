using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Access;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Access;

/// <summary>The tables <c>dashboard_user</c> and <c>dashboard_session</c>, as a dashboard uses them.</summary>
public sealed class DashboardUsers(string connectionString) : IDashboardUsers, IAsyncDisposable
{
    /// <summary>Databases of earlier versions do not have the tables.</summary>
    public const int SinceVersion = 19;

    private const string CountSql = "SELECT count(*)::int FROM telemetry.dashboard_user";

    private const string FindSql =
        "SELECT name, role, sites, disabled, salt, rounds, hash FROM telemetry.dashboard_user WHERE name = $1";

    // The lock makes it wait for a command that changes the password or disables the user, and which ends the sessions.
    private const string BeginSql = """
        INSERT INTO telemetry.dashboard_session (hash, user_name, token, note, created_at, until)
        SELECT $3, u.name, false, '', now(), now() + $4
        FROM (SELECT name FROM telemetry.dashboard_user WHERE name = $1 AND hash = $2 AND NOT disabled FOR SHARE) u
        """;

    private const string OldSql = "DELETE FROM telemetry.dashboard_session WHERE until < now() - interval '1 day'";

    private const string WhoseSql = """
        SELECT u.name, u.role, u.sites, u.disabled
        FROM telemetry.dashboard_session s JOIN telemetry.dashboard_user u ON u.name = s.user_name
        WHERE s.hash = $1 AND s.token = $2 AND s.until > now() AND NOT u.disabled
        """;

    private const string EndSql = "DELETE FROM telemetry.dashboard_session WHERE hash = $1 AND NOT token";

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxPoolSize = 4,
            CommandTimeout = 15,
            TcpKeepAlive = true,
        });

    public Task<int> CountAsync(CancellationToken cancellationToken) => RunAsync(
        "count users", CountSql,
        async command => (int)(await command.ExecuteScalarAsync(cancellationToken))!);

    public Task<(DashboardUser User, PasswordHash Password)?> FindAsync(
        string name, CancellationToken cancellationToken) => RunAsync<(DashboardUser, PasswordHash)?>(
        "find a user", FindSql,
        async command =>
        {
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            return await row.ReadAsync(cancellationToken)
                ? (User(row), new PasswordHash(
                    row.GetFieldValue<byte[]>(4), row.GetInt32(5), row.GetFieldValue<byte[]>(6)))
                : null;
        },
        (ColumnValues.Text(name), NpgsqlDbType.Text));

    public async Task<bool> BeginAsync(
        string name, PasswordHash password, byte[] session, TimeSpan lasts, CancellationToken cancellationToken)
    {
        await RunAsync("remove old sessions", OldSql, command => command.ExecuteNonQueryAsync(cancellationToken));
        return await RunAsync(
            "begin a session", BeginSql, command => command.ExecuteNonQueryAsync(cancellationToken),
            (ColumnValues.Text(name), NpgsqlDbType.Text), (password.Hash, NpgsqlDbType.Bytea),
            (session, NpgsqlDbType.Bytea), (lasts, NpgsqlDbType.Interval)) == 1;
    }

    public Task<DashboardUser?> WhoseAsync(byte[] session, bool token, CancellationToken cancellationToken) =>
        RunAsync(
            "find a session", WhoseSql,
            async command =>
            {
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                return await row.ReadAsync(cancellationToken) ? User(row) : null;
            },
            (session, NpgsqlDbType.Bytea), (token, NpgsqlDbType.Boolean));

    public Task EndAsync(byte[] session, CancellationToken cancellationToken) => RunAsync(
        "end a session", EndSql, command => command.ExecuteNonQueryAsync(cancellationToken),
        (session, NpgsqlDbType.Bytea));

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    internal static DashboardUser User(NpgsqlDataReader row) => new(
        row.GetString(0), (UserRole)row.GetInt16(1), row.GetFieldValue<string[]>(2), row.GetBoolean(3));

    private async Task<T> RunAsync<T>(
        string what, string sql, Func<NpgsqlCommand, Task<T>> run, params (object Value, NpgsqlDbType Type)[] values)
    {
        try
        {
            await using var command = _database.CreateCommand(sql);
            foreach (var (value, type) in values)
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
            }

            return await run(command);
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From(what, e);
        }
    }
}
