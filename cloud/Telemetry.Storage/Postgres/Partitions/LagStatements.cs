using Npgsql;
using NpgsqlTypes;

namespace Telemetry.Storage.Postgres.Partitions;

/// <summary>Writes how far the owners are behind their streams, for people.</summary>
internal static class LagStatements
{
    private const string Sql = """
        INSERT INTO telemetry.stream_lag AS l (partition, stream, messages, oldest_at, removed_at, stage, looked_at)
        SELECT u.partition, u.stream, u.messages, now() - u.age, now() + u.time_left, u.stage, now()
        FROM unnest($1, $2, $3, $4, $5, $6) u(partition, stream, messages, age, time_left, stage)
        ON CONFLICT (partition, stream) DO UPDATE
        SET messages = excluded.messages, oldest_at = excluded.oldest_at, removed_at = excluded.removed_at,
            stage = excluded.stage, looked_at = excluded.looked_at
        """;

    public static async Task WriteAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamLagRow> rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        Add(rows.Select(r => r.Partition).ToArray(), NpgsqlDbType.Integer);
        Add(rows.Select(r => r.Stream).ToArray(), NpgsqlDbType.Text);
        Add(rows.Select(r => r.Messages).ToArray(), NpgsqlDbType.Bigint);
        Add(rows.Select(r => r.Messages > 0 ? r.Age : default(TimeSpan?)).ToArray(), NpgsqlDbType.Interval);
        Add(rows.Select(r => r.Left).ToArray(), NpgsqlDbType.Interval);
        Add(rows.Select(r => (short)r.Stage).ToArray(), NpgsqlDbType.Smallint);
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(object column, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = column, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
