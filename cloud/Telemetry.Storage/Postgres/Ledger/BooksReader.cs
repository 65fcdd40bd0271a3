using Npgsql;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Ledger;

/// <summary>
/// The books of one gateway, in readings: accepted = stored + rejected + dropped + lost + on the way. Of the stored
/// ones, retention has removed those that are retired; the others are in the database.
/// </summary>
public sealed record GatewayBook(
    string Gateway, int? Partition, long Accepted, long Stored, long Rejected, long Dropped, long Lost, long OnTheWay,
    DateTime? Watermark, string Fork, long Retired);

/// <summary>Reads the view telemetry.books. Errors are <see cref="StoreException"/>.</summary>
public sealed class BooksReader(string connectionString) : IAsyncDisposable
{
    /// <summary>The most gateways of one answer; the next answer continues after the last gateway.</summary>
    public const int PageMax = 1000;

    private const string Columns =
        "SELECT gateway, partition, accepted, stored, rejected, dropped, lost, on_the_way, watermark, fork, retired "
        + "FROM telemetry.books";

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(connectionString);

    /// <summary>Returns books in the order of gateway ids, from the first id after <paramref name="after"/>.</summary>
    public Task<IReadOnlyList<GatewayBook>> ListAsync(string after, CancellationToken cancellationToken) =>
        ReadAsync($"{Columns} WHERE gateway > $1 ORDER BY gateway LIMIT {PageMax}", after, cancellationToken);

    /// <summary>Returns one gateway's books; null when it was never seen.</summary>
    public async Task<GatewayBook?> FindAsync(string gateway, CancellationToken cancellationToken) =>
        (await ReadAsync($"{Columns} WHERE gateway = $1", gateway, cancellationToken)).SingleOrDefault();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task<IReadOnlyList<GatewayBook>> ReadAsync(
        string sql, string gateway, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = _database.CreateCommand(sql);
            command.Parameters.Add(new NpgsqlParameter { Value = gateway });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var books = new List<GatewayBook>();
            while (await reader.ReadAsync(cancellationToken))
            {
                books.Add(Book(reader));
            }

            return books;
        }
        catch (Exception e) when (StoreErrors.IsDatabases(e))
        {
            throw StoreErrors.From("read the books", e);
        }
    }

    private static GatewayBook Book(NpgsqlDataReader row) => new(
        row.GetString(0),
        row.IsDBNull(1) ? null : row.GetInt32(1),
        row.GetInt64(2),
        row.GetInt64(3),
        row.GetInt64(4),
        row.GetInt64(5),
        row.GetInt64(6),
        row.GetInt64(7),
        row.IsDBNull(8) ? null : row.GetDateTime(8),
        row.GetString(9),
        row.GetInt64(10));
}
