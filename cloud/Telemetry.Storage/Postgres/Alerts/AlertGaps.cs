using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Alerts;

/// <summary>Marks event times of series that alert rules must evaluate again; the partition's owner does it.</summary>
internal static class AlertGaps
{
    // A checkpoint at or after the first reading is of no use any more.
    private const string MarkSql = """
        UPDATE telemetry.alert_state s
        SET checkpoint = CASE WHEN s.gap_from < u.first THEN s.checkpoint END,
            gap_from = least(s.gap_from, u.first - 1), gap_to = greatest(s.gap_to, u.last)
        FROM unnest($2, $3, $4) u(series_identity, first, last)
        WHERE s.gateway = $1 AND s.series_identity = u.series_identity
        """;

    /// <summary>Marks the times of readings that are stored; runs in a transaction that holds the partition.</summary>
    public static async Task MarkAsync(
        NpgsqlConnection connection, string gateway, ReadingBuffer readings, CancellationToken cancellationToken)
    {
        var spans = new Dictionary<SeriesIdentity, (long First, long Last)>();
        for (var row = 0; row < readings.Count; row++)
        {
            var (series, time) = (readings.Series[row].Identity, readings.Times[row]);
            var span = spans.GetValueOrDefault(series, (time, time));
            spans[series] = (Math.Min(span.Item1, time), Math.Max(span.Item2, time));
        }

        await using var command = new NpgsqlCommand(MarkSql, connection);
        Add(gateway, NpgsqlDbType.Text);
        Add(spans.Keys.Select(ColumnValues.Bytes).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bytea);
        Add(spans.Values.Select(s => s.First).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        Add(spans.Values.Select(s => s.Last).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(object value, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
    }
}
