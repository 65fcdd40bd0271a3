using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Ledger;

/// <summary>Looks up schemas and registered frames.</summary>
internal static class FrameAndSchemaQueries
{
    private const string SchemasSql = "SELECT parent, additions FROM telemetry.schema_message WHERE gateway = $1";
    private const string SeriesSql = "SELECT identity, id, device_id FROM telemetry.series WHERE gateway = $1";

    private const string FrameColumns =
        "first, count, stored, rejected, dropped, time_first, time_last, checksum, hash_sum";

    // No two frames of a lane overlap, so only the last one that begins before the range may reach into it; all others
    // begin in it. Therefore at most one row more is read than is returned, however small the frames are. No frame
    // covers more than FrameHeader.CountMax sequences.
    private static readonly string FramesSql = $"""
        SELECT {FrameColumns} FROM (
            (SELECT {FrameColumns} FROM telemetry.frame_register
             WHERE gateway = $1 AND epoch = $2 AND lane = $3 AND first < $4 AND first > $4 - {FrameHeader.CountMax}
             ORDER BY first DESC LIMIT 1)
            UNION ALL
            (SELECT {FrameColumns} FROM telemetry.frame_register
             WHERE gateway = $1 AND epoch = $2 AND lane = $3 AND first BETWEEN $4 AND $5
             ORDER BY first LIMIT $6)) f
        WHERE first + count > $4
        ORDER BY first LIMIT $6
        """;

    private static readonly string FirstFramesSql = $"""
        SELECT u.n - 1, f.* FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY u(gateway, epoch, lane, first, last, n)
        CROSS JOIN LATERAL (
            SELECT {FrameColumns} FROM (
                (SELECT {FrameColumns} FROM telemetry.frame_register r
                 WHERE r.gateway = u.gateway AND r.epoch = u.epoch AND r.lane = u.lane
                   AND r.first < u.first AND r.first > u.first - {FrameHeader.CountMax}
                 ORDER BY r.first DESC LIMIT 1)
                UNION ALL
                (SELECT {FrameColumns} FROM telemetry.frame_register r
                 WHERE r.gateway = u.gateway AND r.epoch = u.epoch AND r.lane = u.lane
                   AND r.first BETWEEN u.first AND u.last
                 ORDER BY r.first LIMIT 1)) e
            WHERE e.first + e.count > u.first
            ORDER BY e.first LIMIT 1) f
        """;

    public static async Task<GatewaySchemaRows> LoadSchemasAsync(
        NpgsqlConnection connection, GatewayId gateway, CancellationToken cancellationToken)
    {
        // The caller owns the partition, so no other transaction adds rows between the two queries.
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
        NpgsqlConnection connection, GatewayId gateway, ulong epoch, Lane lane, SequenceRange range, int framesMax,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FramesSql, connection);
        Add(command, gateway.Value, NpgsqlDbType.Text);
        Add(command, (long)epoch, NpgsqlDbType.Bigint);
        Add(command, (short)lane, NpgsqlDbType.Smallint);
        Add(command, range.First, NpgsqlDbType.Bigint);
        Add(command, range.Last, NpgsqlDbType.Bigint);
        Add(command, framesMax, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var frames = new List<FrameRegisterRow>();
        while (await reader.ReadAsync(cancellationToken))
        {
            frames.Add(Frame(reader, 0, gateway, epoch, lane));
        }

        return frames;
    }

    public static async Task<IReadOnlyList<FrameRegisterRow?>> FindFirstFramesAsync(
        NpgsqlConnection connection, IReadOnlyList<(GatewayId Gateway, FrameKey Range)> ranges,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(FirstFramesSql, connection);
        Add(command, ranges.Select(r => r.Gateway.Value).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(command, ranges.Select(r => (long)r.Range.Epoch).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        Add(command, ranges.Select(r => (short)r.Range.Lane).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Smallint);
        Add(command, ranges.Select(r => r.Range.First).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        Add(command, ranges.Select(r => r.Range.Last).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var frames = new FrameRegisterRow?[ranges.Count];
        while (await reader.ReadAsync(cancellationToken))
        {
            var (gateway, range) = ranges[(int)reader.GetInt64(0)];
            frames[reader.GetInt64(0)] = Frame(reader, 1, gateway, range.Epoch, range.Lane);
        }

        return frames;
    }

    // Reads a row from a column on, in the order of FrameColumns.
    private static FrameRegisterRow Frame(
        NpgsqlDataReader reader, int column, GatewayId gateway, ulong epoch, Lane lane) => new(
        gateway,
        new FrameKey(epoch, lane, reader.GetInt64(column), reader.GetInt32(column + 1)),
        reader.GetInt32(column + 2),
        reader.GetInt32(column + 3),
        reader.GetInt32(column + 4),
        ColumnValues.Micros(reader.GetDateTime(column + 5)),
        ColumnValues.Micros(reader.GetDateTime(column + 6)),
        (ulong)reader.GetInt64(column + 7),
        (ulong)reader.GetInt64(column + 8));

    private static void Add(NpgsqlCommand command, object value, NpgsqlDbType type) =>
        command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
}
