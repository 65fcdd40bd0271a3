using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>A statement that is prepared once and run many times; its parameters are <c>$0</c>, <c>$1</c>, …</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly SqliteCommand _command;
    private readonly Action<string>? _before;

    /// <summary><paramref name="before"/>: see <see cref="SqliteOutboxOptions.BeforeStatement"/>.</summary>
    public SqliteStatement(
        SqliteConnection connection, string sql, int parameters = 0, Action<string>? before = null)
    {
        _before = before;
        _command = connection.CreateCommand();
        _command.CommandText = sql;
        for (var i = 0; i < parameters; i++)
        {
            _command.Parameters.Add(new SqliteParameter($"${i}", DBNull.Value));
        }

        _command.Prepare();
    }

    public SqliteStatement Set(int parameter, long value) => SetValue(parameter, value, SqliteType.Integer);

    public SqliteStatement Set(int parameter, ulong value) => Set(parameter, unchecked((long)value));

    public SqliteStatement Set(int parameter, bool value) => Set(parameter, value ? 1L : 0L);

    public SqliteStatement Set(int parameter, string value) => SetValue(parameter, value, SqliteType.Text);

    public SqliteStatement Set(int parameter, ReadOnlyMemory<byte> value) => SetValue(
        parameter,
        MemoryMarshal.TryGetArray(value, out var array) && array.Count == array.Array!.Length
            ? array.Array : value.ToArray(),
        SqliteType.Blob);

    public SqliteStatement SetNull(int parameter) => SetValue(parameter, DBNull.Value, SqliteType.Integer);

    /// <summary>Runs it and returns the number of changed rows.</summary>
    public int Run()
    {
        _before?.Invoke(_command.CommandText);
        return _command.ExecuteNonQuery();
    }

    /// <summary>Runs it and returns its single number.</summary>
    public long Number()
    {
        _before?.Invoke(_command.CommandText);
        return (long)_command.ExecuteScalar()!;
    }

    public SqliteDataReader Read()
    {
        _before?.Invoke(_command.CommandText);
        return _command.ExecuteReader();
    }

    public void Dispose() => _command.Dispose();

    private SqliteStatement SetValue(int parameter, object value, SqliteType type)
    {
        var target = _command.Parameters[parameter];
        target.SqliteType = type;
        target.Value = value;
        return this;
    }
}
