using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>
/// What an operator changed in the accounting, and why: a row of the audit table, which nothing changes or removes. It
/// is written in the transaction of the change.
/// </summary>
/// <param name="Operator">The account that ran the command, and the database's user.</param>
/// <param name="Act">The name of the act, as the command calls it.</param>
/// <param name="Gateway">The gateway.</param>
/// <param name="Reason">The reason in one word; empty where the act has none.</param>
/// <param name="Note">The reason in the operator's words.</param>
/// <param name="Readings">How many readings it concerns.</param>
/// <param name="Detail">The state before.</param>
internal sealed record OperatorAct(
    string Operator, string Act, string Gateway, string Reason, string Note, long Readings, string Detail)
{
    private const string Sql = """
        INSERT INTO telemetry.operator_act (at, operator, act, gateway, reason, note, readings, detail)
        VALUES (now(), $1 || ' (database user ' || session_user || ')', $2, $3, $4, $5, $6, $7)
        """;

    /// <summary>Adds it to a transaction's batch.</summary>
    public void AddTo(NpgsqlBatch batch)
    {
        var command = new NpgsqlBatchCommand(Sql);
        foreach (var text in (string[])[Operator, Act, Gateway, Reason, Note])
        {
            Add(command, ColumnValues.Text(text), NpgsqlDbType.Text);
        }

        Add(command, Readings, NpgsqlDbType.Bigint);
        Add(command, ColumnValues.Text(Detail), NpgsqlDbType.Text);
        batch.BatchCommands.Add(command);
    }

    private static void Add(NpgsqlBatchCommand command, object value, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
}
