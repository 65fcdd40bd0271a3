using Npgsql;

namespace Telemetry.Storage.Postgres.Windows;

/// <summary>How often the series of a metric are read, from their windows of the last day.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Series">How many series have windows.</param>
/// <param name="Readings">Their readings.</param>
/// <param name="Seconds">The widths of their windows together; windows without readings do not exist.</param>
public sealed record ReadingRate(string Metric, long Series, double Readings, double Seconds)
{
    /// <summary>The mean number of readings in a window of this width.</summary>
    public double InWindow(int widthSeconds) => Readings / Seconds * widthSeconds;
}

/// <summary>Finds how often metrics are read.</summary>
internal static class ReadingRates
{
    // It reads a day of parts once, at an operator's command.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(10);

    private const string Sql = """
        SELECT s.metric, count(DISTINCT w.series), sum(w.readings)::double precision, sum(w.width)::double precision
        FROM (SELECT series, start, width, sum(readings) AS readings FROM telemetry.window_part
              WHERE start >= now() - interval '1 day' AND start < now() GROUP BY series, start, width) w
        JOIN telemetry.series s ON s.id = w.series
        GROUP BY s.metric ORDER BY s.metric COLLATE "C"
        """;

    /// <summary>The metrics that have windows of the last day, by name.</summary>
    public static async Task<IReadOnlyList<ReadingRate>> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            CommandTimeout = (int)TimeLimit.TotalSeconds,
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rates = new List<ReadingRate>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rates.Add(new ReadingRate(
                reader.GetString(0), reader.GetInt64(1), reader.GetDouble(2), reader.GetDouble(3)));
        }

        return rates;
    }
}
