using Npgsql;

namespace Telemetry.Containers.Chain;

/// <summary>What SQL says of the trial.</summary>
internal sealed class TrialDatabase(string connectionString) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);

    /// <summary>What is stored of a metric of a device.</summary>
    public async Task<StoredSeries> SeriesAsync(string device, string metric)
    {
        await using var command = _source.CreateCommand("""
            SELECT count(*), count(DISTINCT time), coalesce(sum(number), 0) FROM telemetry.reading_plain
            WHERE gateway = $1 AND device = $2 AND metric = $3
            """);
        foreach (var value in (string[])[TrialChain.Gateway, device, metric])
        {
            command.Parameters.Add(new() { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return new StoredSeries(reader.GetInt64(0), reader.GetInt64(1), reader.GetDouble(2));
    }

    /// <summary>The gateway's books, and its rows counted, both of one moment.</summary>
    public async Task<GatewayBooks> BooksAsync()
    {
        await using var command = _source.CreateCommand("""
            SELECT stored, rejected, dropped, lost, fork,
                (SELECT count(*) FROM telemetry.reading_plain r WHERE r.gateway = b.gateway)
            FROM telemetry.books b WHERE gateway = $1
            """);
        command.Parameters.Add(new() { Value = TrialChain.Gateway });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync()
            ? new GatewayBooks(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetString(4),
                reader.GetInt64(5))
            : new GatewayBooks(0, 0, 0, 0, "", 0);
    }

    /// <summary>Ids of all alerts that name the device, once the relay has published everything; null before.</summary>
    public async Task<IReadOnlyList<string>?> PublishedAlertsAsync(string device)
    {
        await using var waiting = _source.CreateCommand("""
            SELECT count(*) FROM telemetry.partition p LEFT JOIN telemetry.relay_position r USING (partition)
            WHERE p.alert_number > coalesce(r.number, 0)
            """);
        if ((long)(await waiting.ExecuteScalarAsync())! > 0)
        {
            return null;
        }

        await using var command = _source.CreateCommand("""
            SELECT id FROM telemetry.alert_outbox
            WHERE convert_from(event, 'UTF8')::jsonb::text LIKE '%"' || $1 || '"%' ORDER BY id
            """);
        command.Parameters.Add(new() { Value = device });
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<string>();
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetString(0));
        }

        return ids;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}

/// <summary>Rows of one series.</summary>
internal sealed record StoredSeries(long Rows, long Times, double Sum);

/// <summary>A row of telemetry.books, beside the rows that are really there.</summary>
internal sealed record GatewayBooks(long Stored, long Rejected, long Dropped, long Lost, string Fork, long Rows)
{
    public long Settled => Stored + Rejected + Dropped + Lost;
}
