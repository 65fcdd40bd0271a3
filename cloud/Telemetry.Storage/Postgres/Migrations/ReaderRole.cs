using Npgsql;

namespace Telemetry.Storage.Postgres.Migrations;

/// <summary>
/// The role that people query with: it reads the views of the schema, those of later migrations too, and of the tables
/// only those that the functions beside the views read. A user that may not make roles works without it.
/// </summary>
internal static class ReaderRole
{
    /// <summary>The role's name. An operator grants it to the logins of people and dashboards.</summary>
    public const string Name = "telemetry_reader";

    /// <summary>The first version of the tables that has the role.</summary>
    public const int SinceVersion = 9;

    private const string GrantSql = "SELECT telemetry.grant_reader()";

    private static readonly string FindSql = $"""
        SELECT count(*) FILTER (WHERE NOT has_table_privilege(r.oid, c.oid, 'SELECT')
            OR NOT has_schema_privilege(r.oid, c.relnamespace, 'USAGE'))
        FROM pg_roles r, pg_class c
        WHERE r.rolname = '{Name}' AND c.relnamespace = 'telemetry'::regnamespace
            AND (c.relkind = 'v' OR c.relname IN ('series', 'window_part'))
        GROUP BY r.oid
        """;

    private const string Advice =
        $"run \"{GrantSql}\" once as a superuser, or as a user that owns the tables and may make roles";

    /// <summary>
    /// Makes the role if that is allowed, and lets it read the views that it may not read yet. Returns what an operator
    /// has to do, or null.
    /// </summary>
    public static async Task<string?> GrantAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(GrantSql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true
            ? null : $"this user may not make the role {Name} or let it read the views; {Advice}";
    }

    /// <summary>Returns what keeps the role from reading, or null. Changes nothing.</summary>
    public static async Task<string?> FindProblemAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FindSql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) switch
        {
            0L => null,
            long views => $"the role {Name} may not read {views} views; {Advice}",
            _ => $"there is no role {Name}; {Advice}",
        };
    }
}
