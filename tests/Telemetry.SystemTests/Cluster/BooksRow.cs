using Npgsql;

namespace Telemetry.SystemTests.Cluster;

/// <summary>
/// What the database says of a gateway: a row of telemetry.books, with the accepted total as the gateway told it.
/// </summary>
public sealed record BooksRow(
    string Gateway, long Accepted, long Stored, long Rejected, long Dropped, long Lost, TimeSpan? WatermarkAge,
    string Fork)
{
    /// <summary>Stored, rejected, dropped or lost.</summary>
    public long Settled => Stored + Rejected + Dropped + Lost;

    /// <summary>All gateways; empty while the database is down.</summary>
    public static async Task<IReadOnlyDictionary<string, BooksRow>> ReadAsync(
        string connectionString, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, BooksRow>();
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                """
                SELECT gateway,
                       coalesce(
                           (SELECT sum(o.accepted) FROM telemetry.outbox o WHERE o.gateway = b.gateway), 0)::bigint,
                       stored, rejected, dropped, lost,
                       extract(epoch FROM clock_timestamp() - watermark)::double precision, fork
                FROM telemetry.books b
                """,
                connection)
            { CommandTimeout = 5 };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var row = new BooksRow(
                    reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4),
                    reader.GetInt64(5), reader.IsDBNull(6) ? null : TimeSpan.FromSeconds(reader.GetDouble(6)),
                    reader.GetString(7));
                rows[row.Gateway] = row;
            }
        }
        catch (Exception e)
            when (e is NpgsqlException or IOException or TimeoutException && !cancellationToken.IsCancellationRequested)
        {
            // Killed on purpose, or still starting: the next look finds it.
            return new Dictionary<string, BooksRow>();
        }

        return rows;
    }
}
