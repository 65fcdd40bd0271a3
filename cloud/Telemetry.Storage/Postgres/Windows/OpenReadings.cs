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

    // The time span of all gateways stands as two constants too: only they let the server skip partitions.
    // The limit comes before the sort, which then is bounded too.
    private const string ReadingsSql = """
        SELECT * FROM (
            SELECT u.n, r.series, r.time, r.i, r.f, r.flags, r.t
            FROM unnest($1, $2, $3) WITH ORDINALITY u(gateway, first, last, n)
            JOIN telemetry.series s USING (gateway)
            JOIN telemetry.reading r ON r.series = s.id AND r.time >= u.first AND r.time < u.last
            WHERE r.time >= $4 AND r.time < $5
            LIMIT $6) r
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

        await using var command = new NpgsqlCommand(ReadingsSql, connection);
        Add(gateways.Select(g => g.Gateway.Value).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(Times(g => g.Span.From), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        Add(Times(g => g.Span.To), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        Add(ColumnValues.Time(gateways.Min(g => g.Span.From)), NpgsqlDbType.TimestampTz);
        Add(ColumnValues.Time(gateways.Max(g => g.Span.To)), NpgsqlDbType.TimestampTz);
        Add(readingsMax + 1L, NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        long read = 0;
        for (; await reader.ReadAsync(cancellationToken); read++)
        {
            var at = (int)reader.GetInt64(0) - 1;
            if (series(gateways[at].Gateway, reader.GetInt32(1)) is { } entry)
            {
                counts[at]++;
                AddRow(reader, entry, rows);
            }
        }

        return new OpenReadingCounts(counts, read <= readingsMax);

        DateTime[] Times(Func<(GatewayId Gateway, OpenSpan Span), long> micros) =>
            [.. gateways.Select(g => ColumnValues.Time(micros(g)))];

        void Add(object value, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
    }

    private static void AddRow(NpgsqlDataReader reader, SeriesEntry series, ReadingBuffer rows)
    {
        var stored = reader.GetInt16(5);
        var (time, flags) = (ColumnValues.Micros(reader.GetDateTime(2)), (ReadingFlags)stored & ReadingFlags.All);
        if (!reader.IsDBNull(6))
        {
            rows.AddText(series, time, flags, reader.GetFieldValue<byte[]>(6));
            return;
        }

        var bits = (flags & ReadingFlags.Null) != 0 ? 0
            : !reader.IsDBNull(4) ? BitConverter.DoubleToUInt64Bits(reader.GetDouble(4))
            : ScaledNumber.IsScaled(stored) ? ScaledNumber.Unscale(reader.GetInt64(3), stored)
            : (ulong)reader.GetInt64(3);
        rows.Add(series, time, flags, bits);
    }
}
