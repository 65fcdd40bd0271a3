using Npgsql;
using NpgsqlTypes;
using Telemetry.Storage.Postgres.Commit;

namespace Telemetry.Storage.Postgres.Maintenance;

/// <summary>
/// What an operator did with the books, and why: a row of the audit table, which nothing changes or removes. It is
/// written in the transaction that does it.
/// </summary>
/// <param name="Operator">Who: the account that ran the command, and the database's user.</param>
/// <param name="Act">What, as the command names it.</param>
/// <param name="Gateway">Of which gateway.</param>
/// <param name="Reason">Why, in one word; empty where the act has none.</param>
/// <param name="Note">Why, in the operator's words.</param>
/// <param name="Readings">How many readings it concerns.</param>
/// <param name="Detail">What there was before.</param>
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
