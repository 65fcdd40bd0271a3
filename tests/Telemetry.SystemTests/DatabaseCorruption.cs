using Npgsql;

namespace Telemetry.SystemTests;

/// <summary>Corrupts a finished database in the smallest way, to prove that the checker sees it.</summary>
public static class DatabaseCorruption
{
    /// <summary>The ways.</summary>
    public static readonly string[] Ways = ["delete", "double", "flip"];

    /// <summary>Deletes one row, doubles one, or changes one bit of one value.</summary>
    public static async Task CorruptAsync(string connectionString, string way, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        // Each way has a row of its own, so that one does not hide another.
        var one = "(SELECT tableoid, ctid FROM telemetry.reading WHERE i IS NOT NULL ORDER BY time, series "
            + $"LIMIT 1 OFFSET {Array.IndexOf(Ways, way) * 10})";
        var sql = way switch
        {
            "delete" => $"DELETE FROM telemetry.reading WHERE (tableoid, ctid) IN {one}",
            "double" =>
                $"INSERT INTO telemetry.reading SELECT * FROM telemetry.reading WHERE (tableoid, ctid) IN {one}",
            "flip" => $"UPDATE telemetry.reading SET i = i # 1 WHERE (tableoid, ctid) IN {one}",
            _ => throw new ArgumentException($"'{way}' is none of {string.Join(", ", Ways)}", nameof(way)),
        };
        await using var command = new NpgsqlCommand(sql, connection);
        var rows = await command.ExecuteNonQueryAsync(cancellationToken);
        if (rows != 1)
        {
            throw new InvalidOperationException($"{rows} rows were corrupted, 1 was meant");
        }
    }
}
