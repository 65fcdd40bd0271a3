using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Commit;

/// <summary>
/// Writes schema messages and registers their series. A message that is known already changes nothing.
/// </summary>
internal static class SchemaStatements
{
    private const string MessagesSql = """
        INSERT INTO telemetry.schema_message (gateway, schema, parent, additions, registered_at)
        SELECT u.*, now() FROM unnest($1, $2, $3, $4) u
        ON CONFLICT (gateway, schema) DO NOTHING
        RETURNING gateway, schema
        """;

    /// <summary>Writes the messages, and gives the series their numbers.</summary>
    public static async Task ExecuteAsync(
        NpgsqlConnection connection, List<SchemaLedgerRow> schemas, CancellationToken cancellationToken)
    {
        if (schemas.Count == 0)
        {
            return;
        }

        var added = await WriteAsync(connection, schemas, cancellationToken);
        await SeriesStatements.RegisterAsync(
            connection,
            [.. schemas.SelectMany(s => s.Added.ToArray().Where(e => e.Refusal is null)
                .Select(e => (e, added.Contains((s.List.Gateway.Value, s.Message.Id)))))],
            cancellationToken);
    }

    // Returns those that were not known.
    private static async Task<HashSet<(string Gateway, SchemaId Schema)>> WriteAsync(
        NpgsqlConnection connection, List<SchemaLedgerRow> schemas, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(MessagesSql, connection);
        Add(NpgsqlDbType.Text, s => s.List.Gateway.Value);
        Add(NpgsqlDbType.Bytea, s => ColumnValues.Bytes(s.Message.Id));
        Add(NpgsqlDbType.Bytea, s => ColumnValues.Bytes(s.Message.Parent));
        Add(NpgsqlDbType.Bytea, s => s.Message.Additions.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var added = new HashSet<(string, SchemaId)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            added.Add((reader.GetString(0), SchemaId.Read(reader.GetFieldValue<byte[]>(1))));
        }

        return added;

        void Add<T>(NpgsqlDbType type, Func<SchemaLedgerRow, T> value) => command.Parameters.Add(new NpgsqlParameter
        {
            Value = schemas.Select(value).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | type,
        });
    }
}
