using Npgsql;
using NpgsqlTypes;
using Telemetry.Cloud.Storage;

namespace Telemetry.Cloud.Operations.DeadLetters;

/// <summary>What people call the series of some readings.</summary>
internal static class SeriesNames
{
    private const string Sql = """
        SELECT series_key, device || ' ' || metric || CASE WHEN labels = '{}' THEN '' ELSE ' ' || labels::text END, unit
        FROM telemetry.series WHERE series_key = ANY($1)
        """;

    /// <summary>Name and unit by series key.</summary>
    public static async Task<IReadOnlyDictionary<ulong, (string Name, string Unit)>> ReadAsync(
        NpgsqlConnection connection, ReadingRows readings, CancellationToken cancellationToken)
    {
        var keys = new HashSet<long>();
        foreach (var key in readings.Series)
        {
            keys.Add((long)key);
        }

        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(
            new NpgsqlParameter { Value = keys.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new Dictionary<ulong, (string, string)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            names[(ulong)reader.GetInt64(0)] = (reader.GetString(1), reader.GetString(2));
        }

        return names;
    }
}
