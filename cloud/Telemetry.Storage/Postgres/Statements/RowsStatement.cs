using System.Collections;
using Npgsql;
using NpgsqlTypes;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>
/// One statement over many rows: each column is an array parameter ($1, $2 …) for unnest. The lists are reused from
/// commit to commit; one thread at a time.
/// </summary>
internal sealed class RowsStatement(string sql)
{
    private readonly NpgsqlBatchCommand _command = new(sql);
    private readonly List<IList> _columns = [];

    /// <summary>The number of rows that were added.</summary>
    public int Count => _columns[0].Count;

    /// <summary>The rows that the last execution changed.</summary>
    public int RecordsAffected => _command.RecordsAffected;

    /// <summary>Adds a column, in the order of the parameters.</summary>
    public List<T> Column<T>(NpgsqlDbType type)
    {
        var column = new List<T>();
        _columns.Add(column);
        _command.Parameters.Add(new NpgsqlParameter { Value = column, NpgsqlDbType = NpgsqlDbType.Array | type });
        return column;
    }

    public List<long> Numbers() => Column<long>(NpgsqlDbType.Bigint);

    public List<int> Integers() => Column<int>(NpgsqlDbType.Integer);

    public List<short> Small() => Column<short>(NpgsqlDbType.Smallint);

    public List<string> Texts() => Column<string>(NpgsqlDbType.Text);

    public List<DateTime> Times() => Column<DateTime>(NpgsqlDbType.TimestampTz);

    public List<byte[]> Bytes() => Column<byte[]>(NpgsqlDbType.Bytea);

    /// <summary>Removes the rows.</summary>
    public void Clear()
    {
        foreach (var column in _columns)
        {
            column.Clear();
        }
    }

    /// <summary>Adds the statement to a batch, unless it has no rows.</summary>
    public void AddTo(NpgsqlBatch batch)
    {
        if (Count > 0)
        {
            batch.BatchCommands.Add(_command);
        }
    }
}
