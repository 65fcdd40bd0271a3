using Microsoft.Data.Sqlite;
using SQLitePCL;
using Telemetry.Model.Identity;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Records which gateway's outbox a file is, in a table of its own that earlier agents do not read. If an agent sent
/// the content of the file under another gateway's name, it would be stored a second time.
/// </summary>
internal static class SqliteGateway
{
    private const string Table =
        "CREATE TABLE gateway (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)";

    /// <summary>Throws when the file belongs to another gateway; returns false when it names none.</summary>
    public static bool IsOf(SqliteConnection connection, string path, GatewayId gateway)
    {
        if (SqliteSchema.Number(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'gateway'") == 0)
        {
            return false;
        }

        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM gateway";
        return command.ExecuteScalar() switch
        {
            null => false,
            string name when name == gateway.Value => true,
            var name => throw OutboxException.OfAnotherGateway($"the outbox {path}", $"{name}", gateway),
        };
    }

    /// <summary>
    /// Writes the name of the gateway. If the disk refuses, the error is ignored: the next opening tries again.
    /// </summary>
    public static void Claim(SqliteConnection connection, GatewayId gateway)
    {
        try
        {
            SqliteSchema.Do(
                connection,
                $"BEGIN IMMEDIATE; {Table}; INSERT INTO gateway VALUES (1, '{gateway.Value}'); COMMIT");
        }
        catch (SqliteException e)
        {
            if (raw.sqlite3_get_autocommit(connection.Handle) == 0)
            {
                SqliteSchema.Do(connection, "ROLLBACK");
            }

            if (SqliteErrors.FaultOf(e) is not (OutboxFault.Full or OutboxFault.ReadOnly or OutboxFault.Io))
            {
                throw;
            }
        }
    }
}
