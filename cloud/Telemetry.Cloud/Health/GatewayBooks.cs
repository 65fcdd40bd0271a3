using Npgsql;

namespace Telemetry.Cloud.Health;

/// <summary>
/// The books of one gateway, in readings: accepted = stored + rejected + dropped + lost + on the way.
/// </summary>
internal sealed record GatewayBook(
    string Gateway, int? Partition, long Accepted, long Stored, long Rejected, long Dropped, long Lost, long OnTheWay,
    DateTime? Watermark, string Fork);

/// <summary>Reads the view telemetry.books.</summary>
internal sealed class GatewayBooks(NpgsqlDataSource database)
{
    /// <summary>Gateways of one answer; the next one goes on behind the last.</summary>
    public const int PageMax = 1000;

    private const string Columns =
        "SELECT gateway, partition, accepted, stored, rejected, dropped, lost, on_the_way, watermark, fork FROM "
        + "telemetry.books";

    /// <summary>Books in the order of gateway ids, behind <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<GatewayBook>> ListAsync(string after, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"{Columns} WHERE gateway > $1 ORDER BY gateway LIMIT {PageMax}");
        command.Parameters.Add(new() { Value = after });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>One gateway's; null when it was never seen.</summary>
    public async Task<GatewayBook?> FindAsync(string gateway, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} WHERE gateway = $1");
        command.Parameters.Add(new() { Value = gateway });
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    private static async Task<List<GatewayBook>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var books = new List<GatewayBook>();
        while (await reader.ReadAsync(cancellationToken))
        {
            books.Add(new GatewayBook(
                reader.GetString(0),
                reader.IsDBNull(1) ? null : reader.GetInt32(1),
                reader.GetInt64(2),
                reader.GetInt64(3),
                reader.GetInt64(4),
                reader.GetInt64(5),
                reader.GetInt64(6),
                reader.GetInt64(7),
                reader.IsDBNull(8) ? null : reader.GetDateTime(8),
                reader.GetString(9)));
        }

        return books;
    }
}
