using System.Data;
using Npgsql;
using Telemetry.Model.Identity;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Checking;

/// <summary>
/// Judges a run from senders' journals and SQL alone, from one snapshot of the database: see
/// <see cref="BooksComparison"/> for the rules. Streams the rows; its memory is that of the journals' readings.
/// </summary>
public sealed class BooksChecker(string connectionString, IReadOnlyCollection<string> journals)
{
    /// <summary>
    /// The verdict. <paramref name="drained"/>: everything that was accepted should be settled by now.
    /// </summary>
    public async Task<BooksVerdict> CheckAsync(bool drained, CancellationToken cancellationToken)
    {
        var sent = new SentReadings();
        foreach (var journal in journals)
        {
            sent.Load(journal);
        }

        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var snapshot = await connection.BeginTransactionAsync(
            IsolationLevel.RepeatableRead, cancellationToken);
        var settled = await SettlementReader.ReadAsync(connection, cancellationToken);
        var comparison = new BooksComparison(sent);
        await CompareRows(connection, comparison, cancellationToken);
        return comparison.Judge(settled, drained);
    }

    private static async Task CompareRows(
        NpgsqlConnection connection, BooksComparison comparison, CancellationToken cancellationToken)
    {
        var series = await ReadSeries(connection, cancellationToken);
        await using var copy = await connection.BeginRawBinaryCopyAsync(StoredRows.Copy, cancellationToken);
        await new StoredRows(copy).ReadAllAsync(
            (in StoredRow row) =>
            {
                if (!series.TryGetValue(row.Series, out var of))
                {
                    comparison.Fault($"a row of series {row.Series}, which no table names");
                }
                else if (!row.TryHash(of.Identity, of.Type, out var hash))
                {
                    comparison.Fault($"{of.Gateway}: a row of series {of.Identity} whose columns are no {of.Type}");
                }
                else
                {
                    comparison.Row(of.Gateway, of.Identity, row.Time, hash);
                }
            },
            cancellationToken);
    }

    private static async Task<Dictionary<int, Series>> ReadSeries(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var series = new Dictionary<int, Series>();
        await using var command = new NpgsqlCommand(
            "SELECT id, gateway, identity, type FROM telemetry.series", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            series[reader.GetInt32(0)] = new Series(
                GatewayId.Parse(reader.GetString(1)), SeriesIdentity.Read(reader.GetFieldValue<byte[]>(2)),
                (MetricType)reader.GetInt16(3));
        }

        return series;
    }

    private readonly record struct Series(GatewayId Gateway, SeriesIdentity Identity, MetricType Type);
}
