using Npgsql;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// TimescaleDB Community: lets a COPY write long runs of readings to the columnstore at once, if the server can. What a
/// gateway stored during an outage needs no conversion then. A COPY of few readings of many devices would make small
/// batches, and goes to the row form. The first time that the server warns that it cannot, this is off for good.
/// </summary>
internal sealed class DirectCompress(bool isOn)
{
    /// <summary>
    /// For one transaction. The setting that claims that input is sorted is never made: queries would be wrong.
    /// </summary>
    public const string Sql = "SET LOCAL timescaledb.enable_direct_compress_copy = on";

    /// <summary>How many readings of one device in a row, on average, are a long run: a full batch.</summary>
    private const int RunMin = 1_000;

    private volatile string? _problem;

    /// <summary>The server's warning that turned it off; null while there was none.</summary>
    public string? Problem => _problem;

    /// <summary>Whether these readings are written so.</summary>
    public bool Fits(ReadingBuffer readings)
    {
        if (!isOn || _problem is not null || readings.Count < RunMin)
        {
            return false;
        }

        var (runs, device) = (0, 0);
        foreach (var series in readings.Series)
        {
            if (series.DeviceNumber != device)
            {
                device = series.DeviceNumber;
                runs++;
            }
        }

        return readings.Count >= (long)RunMin * runs;
    }

    /// <summary>Looks at the warnings of a connection.</summary>
    public void Watch(NpgsqlConnection connection) => connection.Notice += (_, e) =>
    {
        if (e.Notice.SqlState == PostgresErrorCodes.Warning
            && e.Notice.MessageText.Contains("direct compress", StringComparison.OrdinalIgnoreCase))
        {
            _problem = e.Notice.MessageText;
        }
    };
}
