using Npgsql;
using NpgsqlTypes;
using Telemetry.Model;
using Telemetry.Model.Frames;
using Telemetry.Model.Schemas;

namespace Telemetry.Cloud.Storage.Postgres;

/// <summary>Looks up schemas and registered frames.</summary>
internal static class Lookups
{
    private const string SchemasSql = "SELECT parent, additions FROM telemetry.schema_message WHERE gateway = $1";
    private const string SeriesSql = "SELECT identity, id, device_id FROM telemetry.series WHERE gateway = $1";

    // No frame covers more than FrameHeader.CountMax sequences, so that a lookup reads a bounded stretch of the index.
    private static readonly string FramesSql = $"""
        SELECT first, count, stored, rejected, dropped, time_first, time_last, checksum, hash_sum
        FROM telemetry.frame_register
        WHERE gateway = $1 AND epoch = $2 AND lane = $3 AND first <= $5 AND first > $4 - {FrameHeader.CountMax}
          AND first + count > $4
        ORDER BY first, stored_at
        """;

    public static async Task<GatewaySchemaRows> LoadSchemasAsync(
        NpgsqlConnection connection, GatewayId gateway, CancellationToken cancellationToken)
    {
        // Owned by who asks, so no other transaction adds to them between the two.
        var parameter = new NpgsqlParameter { Value = gateway.Value, NpgsqlDbType = NpgsqlDbType.Text };
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(SchemasSql) { Parameters = { parameter } }, new(SeriesSql) { Parameters = { parameter.Clone() } },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var schemas = new List<SchemaMessage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            schemas.Add(new SchemaMessage(
                SchemaId.Read(reader.GetFieldValue<byte[]>(0)), reader.GetFieldValue<byte[]>(1)));
        }

        await reader.NextResultAsync(cancellationToken);
        var series = new Dictionary<SeriesIdentity, SeriesNumbers>();
        while (await reader.ReadAsync(cancellationToken))
        {
            series.Add(
                ColumnValues.Identity(reader.GetFieldValue<byte[]>(0)),
                new SeriesNumbers(reader.GetInt32(1), reader.GetInt32(2)));
        }

        return new GatewaySchemaRows(schemas, series);
    }

    public static async Task<IReadOnlyList<FrameRegisterRow>> FindFramesAsync(
        NpgsqlConnection connection, GatewayId gateway, ulong epoch, Lane lane, SequenceRange range,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FramesSql, connection);
        Add(command, gateway.Value, NpgsqlDbType.Text);
        Add(command, (long)epoch, NpgsqlDbType.Bigint);
        Add(command, (short)lane, NpgsqlDbType.Smallint);
        Add(command, range.First, NpgsqlDbType.Bigint);
        Add(command, range.Last, NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var frames = new List<FrameRegisterRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            frames.Add(new FrameRegisterRow(
                gateway,
                new FrameKey(epoch, lane, reader.GetInt64(0), reader.GetInt32(1)),
                reader.GetInt32(2),
                reader.GetInt32(3),
                reader.GetInt32(4),
                ColumnValues.Micros(reader.GetDateTime(5)),
                ColumnValues.Micros(reader.GetDateTime(6)),
                (ulong)reader.GetInt64(7),
                (ulong)reader.GetInt64(8)));
        }

        return frames;
    }

    private static void Add(NpgsqlCommand command, object value, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
}
