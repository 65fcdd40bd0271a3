using Npgsql;

namespace Telemetry.SystemTests.Windows;

/// <summary>
/// What SQL says of the windows when nothing flows and the processor has stopped in order, so that no part is in its
/// memory: each reading is in one window, and each complete window is as its readings are.
/// </summary>
/// <param name="Complete">The complete windows.</param>
/// <param name="Stored">The stored readings.</param>
/// <param name="Faults">What is wrong.</param>
public sealed record WindowVerdict(long Complete, long Stored, IReadOnlyList<string> Faults)
{
    private const string CompleteSql = "SELECT count(*) FROM telemetry.windows WHERE complete";
    private const string StoredSql = "SELECT count(*) FROM telemetry.reading";
    private const string InWindowsSql = "SELECT coalesce(sum(readings), 0)::bigint FROM telemetry.window_merged";
    private const string OpenSql = "SELECT count(*) FROM telemetry.gateway WHERE window_from IS NOT NULL";

    private const string DifferencesSql = """
        SELECT gateway || '/' || device || '/' || metric || ' ' || start || ': ' || found || ', readings: ' || expected
        FROM telemetry.window_check($1::text::interval) LIMIT 5
        """;

    public static async Task<WindowVerdict> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        var faults = new List<string>(await DifferencesAsync(connection, "1 day", cancellationToken));
        var (complete, stored) = (await AskAsync(CompleteSql), await AskAsync(StoredSql));
        if (await AskAsync(InWindowsSql) is var inWindows && inWindows != stored)
        {
            faults.Add($"{stored} readings are stored, and {inWindows} are in windows");
        }

        if (await AskAsync(OpenSql) is > 0 and var open)
        {
            faults.Add($"{open} gateways have parts in memory alone, but the processor has stopped");
        }

        if (complete == 0)
        {
            faults.Add("no window is complete");
        }

        return new WindowVerdict(complete, stored, faults);

        async Task<long> AskAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
    }

    /// <summary>Complete windows of the last so much time that differ from their readings, some of them.</summary>
    public static async Task<IReadOnlyList<string>> DifferencesAsync(
        NpgsqlConnection connection, string span, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(DifferencesSql, connection);
        command.Parameters.AddWithValue(span);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var differences = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            differences.Add($"window {reader.GetString(0)}");
        }

        return differences;
    }
}
