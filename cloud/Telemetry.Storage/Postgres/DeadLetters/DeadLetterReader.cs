using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.DeadLetters;

/// <summary>Reads dead letters.</summary>
public sealed class DeadLetterReader(NpgsqlDataSource database)
{
    private const string Columns = """
        id, gateway, epoch, lane, first, count, reason, error, readings, series_identity, time_micros, content, flags,
            schema, octet_length(bytes), stored_at, retried_at
        """;

    private const string Filter = """
        WHERE ($1 IS NULL OR gateway = $1) AND ($2 IS NULL OR reason = $2) AND ($3 IS NULL OR stored_at >= $3)
          AND ($4 OR retried_at IS NULL) AND id > $5
        """;

    /// <summary>The newest letters, newest first, without their bytes.</summary>
    public async Task<IReadOnlyList<DeadLetterRecord>> ListAsync(
        DeadLetterFilter filter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(
            connection, $"SELECT {Columns} FROM telemetry.dead_letter {Filter} ORDER BY id DESC LIMIT $6", filter);
        return await ReadAllAsync(command, withBytes: false, cancellationToken);
    }

    /// <summary>The oldest ids that count readings in the books view, in order, with their gateways.</summary>
    public async Task<IReadOnlyList<(long Id, string Gateway)>> IdsAsync(
        DeadLetterFilter filter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(
            connection,
            $"SELECT id, gateway FROM telemetry.dead_letter {Filter} AND readings > 0 ORDER BY id LIMIT $6",
            filter);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<(long, string)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            ids.Add((reader.GetInt64(0), reader.GetString(1)));
        }

        return ids;
    }

    /// <summary>The existing letters among these ids, with their bytes.</summary>
    public async Task<IReadOnlyList<DeadLetterRecord>> FindAsync(
        IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            $"SELECT {Columns}, bytes FROM telemetry.dead_letter WHERE id = ANY($1) ORDER BY id", connection);
        Add(command, ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        return await ReadAllAsync(command, withBytes: true, cancellationToken);
    }

    /// <summary>The content of a letter that was found.</summary>
    public async Task<LetterContent> ContentAsync(DeadLetterRow letter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await LetterContent.ReadAsync(
            letter, new LetterSchemas(connection, letter.Gateway), cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, DeadLetterFilter filter)
    {
        var command = new NpgsqlCommand(sql, connection);
        Add(command, filter.Gateway, NpgsqlDbType.Text);
        Add(command, (short?)filter.Reason, NpgsqlDbType.Smallint);
        Add(command, filter.Since?.UtcDateTime, NpgsqlDbType.TimestampTz);
        Add(command, filter.Retried, NpgsqlDbType.Boolean);
        Add(command, filter.After, NpgsqlDbType.Bigint);
        Add(command, filter.Limit, NpgsqlDbType.Integer);
        return command;
    }

    private static async Task<IReadOnlyList<DeadLetterRecord>> ReadAllAsync(
        NpgsqlCommand command, bool withBytes, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var records = new List<DeadLetterRecord>();
        while (await reader.ReadAsync(cancellationToken))
        {
            records.Add(new DeadLetterRecord(
                reader.GetInt64(0), Letter(reader, withBytes), reader.GetInt32(14), reader.GetDateTime(15),
                reader.IsDBNull(16) ? null : reader.GetDateTime(16)));
        }

        return records;
    }

    private static DeadLetterRow Letter(NpgsqlDataReader reader, bool withBytes) => new(
        GatewayId.Parse(reader.GetString(1)),
        new FrameKey((ulong)reader.GetInt64(2), (Lane)reader.GetInt16(3), reader.GetInt64(4), reader.GetInt32(5)),
        (DeadLetterReason)reader.GetInt16(6),
        reader.GetString(7),
        reader.GetInt32(8),
        ColumnValues.Identity(reader.GetFieldValue<byte[]>(9)),
        reader.GetInt64(10),
        withBytes ? reader.GetFieldValue<byte[]>(17) : default)
    {
        Content = (DeadLetterContent)reader.GetInt16(11),
        Flags = (ReadingFlags)reader.GetInt16(12),
        Schema = reader.GetFieldValue<byte[]>(13) is { Length: SchemaId.Bytes } schema
            ? SchemaId.Read(schema) : default,
    };

    private static void Add(NpgsqlCommand command, object? value, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
}
