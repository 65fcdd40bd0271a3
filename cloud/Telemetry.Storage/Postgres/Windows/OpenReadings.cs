using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Windows;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>Reads stored readings back, to fold the windows of an owner that is gone anew.</summary>
internal static class OpenReadings
{
    private const string GatewaysSql = """
        SELECT gateway FROM telemetry.gateway WHERE partition = $1 AND window_from IS NOT NULL ORDER BY gateway
        """;

    private const string SeriesSql = """
        SELECT u.n, s.id FROM unnest($1) WITH ORDINALITY u(gateway, n) JOIN telemetry.series s USING (gateway)
        """;

    // The readings are looked through once, not once for each series: readings without an index have no other way, and
    // a database that was put back has no statistics to tell. OFFSET 0 keeps the join out of the inner query. The time
    // span of all gateways stands as two constants too: only they let the server skip partitions. The limit comes
    // before the sort, which then is bounded too.
    private const string ReadingsSql = """
        SELECT * FROM (
            SELECT u.n, r.series, r.time, r.i, r.f, r.flags, r.t
            FROM (
                SELECT series, time, i, f, flags, t FROM telemetry.reading
                WHERE series = ANY($1) AND time >= $5 AND time < $6 OFFSET 0) r
            JOIN unnest($1, $2, $3, $4) u(series, n, first, last)
                ON u.series = r.series AND r.time >= u.first AND r.time < u.last
            LIMIT $7) r
        ORDER BY n, series, time
        """;

    public static async Task<IReadOnlyList<GatewayId>> FindGatewaysAsync(
        NpgsqlConnection connection, int partition, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(GatewaysSql, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = partition });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gateways = new List<GatewayId>();
        while (await reader.ReadAsync(cancellationToken))
        {
            gateways.Add(GatewayId.Parse(reader.GetString(0)));
        }

        return gateways;
    }

    public static async Task<OpenReadingCounts> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways,
        Func<GatewayId, int, SeriesEntry?> series, ReadingBuffer rows, int readingsMax,
        CancellationToken cancellationToken)
    {
        var counts = new int[gateways.Count];
        if (gateways.Count == 0)
        {
            return new OpenReadingCounts(counts, true);
        }

        var ofGateways = await SeriesOfAsync(connection, gateways, cancellationToken);
        await using var command = new NpgsqlCommand(ReadingsSql, connection);
        Add(ofGateways.Select(s => s.Series).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);
        Add(ofGateways.Select(s => s.Gateway).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);
        Add(Times(span => span.From), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        Add(Times(span => span.To), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        Add(ColumnValues.Time(gateways.Min(g => g.Span.From)), NpgsqlDbType.TimestampTz);
        Add(ColumnValues.Time(gateways.Max(g => g.Span.To)), NpgsqlDbType.TimestampTz);
        Add(readingsMax + 1L, NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        long read = 0;
        for (; await reader.ReadAsync(cancellationToken); read++)
        {
            var at = reader.GetInt32(0);
            if (series(gateways[at].Gateway, reader.GetInt32(1)) is { } entry)
            {
                counts[at]++;
                AddRow(reader, entry, rows);
            }
        }

        return new OpenReadingCounts(counts, read <= readingsMax);

        DateTime[] Times(Func<OpenSpan, long> micros) =>
            [.. ofGateways.Select(s => ColumnValues.Time(micros(gateways[s.Gateway].Span)))];

        void Add(object value, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
    }

    // The series of the gateways, each with the place of its gateway in the list.
    private static async Task<List<(int Gateway, int Series)>> SeriesOfAsync(
        NpgsqlConnection connection, IReadOnlyList<(GatewayId Gateway, OpenSpan Span)> gateways,
        CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SeriesSql, connection);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = gateways.Select(g => g.Gateway.Value).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(int, int)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(((int)reader.GetInt64(0) - 1, reader.GetInt32(1)));
        }

        return found;
    }

    /// <summary>
    /// Adds a reading, whose columns i, f, flags and t follow the column <paramref name="at"/> of its time.
    /// </summary>
    public static void AddRow(NpgsqlDataReader reader, SeriesEntry series, ReadingBuffer rows, int at = 2)
    {
        var stored = reader.GetInt16(at + 3);
        var (time, flags) = (ColumnValues.Micros(reader.GetDateTime(at)), (ReadingFlags)stored & ReadingFlags.All);
        if (!reader.IsDBNull(at + 4))
        {
            rows.AddText(series, time, flags, reader.GetFieldValue<byte[]>(at + 4));
            return;
        }

        var bits = (flags & ReadingFlags.Null) != 0 ? 0
            : !reader.IsDBNull(at + 2) ? BitConverter.DoubleToUInt64Bits(reader.GetDouble(at + 2))
            : ScaledNumber.IsScaled(stored) ? ScaledNumber.Unscale(reader.GetInt64(at + 1), stored)
            : (ulong)reader.GetInt64(at + 1);
        rows.Add(series, time, flags, bits);
    }
}
