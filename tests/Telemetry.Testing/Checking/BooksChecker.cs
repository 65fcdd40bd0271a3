using System.Data;
using Npgsql;
using Telemetry.Model;
using Telemetry.Model.Readings;

namespace Telemetry.Testing.Checking;

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
                    comparison.Fault($"a row of series {row.Series:x16}, which no table names");
                }
                else if (of.Device != row.Device || !row.TryHash(of.Type, out var hash))
                {
                    comparison.Fault(
                        $"{of.Gateway}: a row of series {row.Series:x16} whose columns are no {of.Type} of its device");
                }
                else
                {
                    comparison.Row(of.Gateway, row.Series, row.Time, hash);
                }
            },
            cancellationToken);
    }

    private static async Task<Dictionary<ulong, (GatewayId Gateway, ulong Device, MetricType Type)>> ReadSeries(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var series = new Dictionary<ulong, (GatewayId Gateway, ulong Device, MetricType Type)>();
        await using var command = new NpgsqlCommand(
            "SELECT series_key, gateway, device_key, type FROM telemetry.series", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            series[(ulong)reader.GetInt64(0)] =
                (GatewayId.Parse(reader.GetString(1)), (ulong)reader.GetInt64(2), (MetricType)reader.GetInt16(3));
        }

        return series;
    }
}
