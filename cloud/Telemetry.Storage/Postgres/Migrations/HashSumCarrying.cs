using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Migrations;

/// <summary>
/// Part of the migration to version 7, in which a reading's hash covers its series' identity instead of a 64-bit key.
/// The readings do not tell which frame brought them, so the sum of a frame cannot be computed again; but that of a
/// gateway can. All readings are read once. A gateway's new sum is the sum of its register under keys, minus that of
/// its readings under keys, plus that of its readings under identities; its frames have none. So sums that were equal
/// stay equal, and sums that differed still differ by the same amount.
/// </summary>
internal sealed class HashSumCarrying
{
    private const string SeriesSql = "SELECT series_key, gateway, identity, type FROM telemetry.series";

    private const string ReadingsSql =
        "SELECT series_key, time, flags, i, f, convert_to(t, 'UTF8') FROM telemetry.reading";

    private const string RegisterSql = """
        SELECT gateway, hash_sum FROM telemetry.frame_register
        UNION ALL SELECT gateway, hash_sum FROM telemetry.frame_register_day
        """;

    // Run after the tables have their new shape.
    private const string WriteSql = """
        UPDATE telemetry.frame_register SET hash_sum = 0 WHERE hash_sum <> 0;
        UPDATE telemetry.frame_register_day SET hash_sum = 0 WHERE hash_sum <> 0
        """;

    private const string CarrySql = """
        INSERT INTO telemetry.hash_sum_carried (gateway, hash_sum) SELECT u.* FROM unnest($1, $2) u
        """;

    // The bytes of the description at the end of the old identity: unit, decimals, extra lateness.
    private const int DescriptionBytes = 3;

    private readonly Dictionary<string, ulong> _sums = [];
    private readonly Dictionary<long, OldSeries> _series = [];

    /// <summary>Reads everything; the tables must still have their old shape.</summary>
    public static async Task<HashSumCarrying> ReadAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var carrying = new HashSumCarrying();
        await EachAsync(connection, SeriesSql, carrying.TakeSeries, cancellationToken);
        await EachAsync(connection, RegisterSql, carrying.TakeFrame, cancellationToken);
        await EachAsync(connection, ReadingsSql, carrying.TakeReading, cancellationToken);
        return carrying;
    }

    /// <summary>Writes the sums; the tables must have their new shape.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var command = new NpgsqlCommand(WriteSql, connection))
        {
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var carry = new NpgsqlCommand(CarrySql, connection);
        carry.Parameters.Add(new NpgsqlParameter
        {
            Value = _sums.Keys.ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        carry.Parameters.Add(new NpgsqlParameter
        {
            Value = _sums.Values.Select(sum => (long)sum).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint,
        });
        await carry.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task EachAsync(
        NpgsqlConnection connection, string sql, Action<NpgsqlDataReader> take, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            take(reader);
        }
    }

    private void TakeSeries(NpgsqlDataReader row)
    {
        var (gateway, identity) = (row.GetString(1), row.GetFieldValue<byte[]>(2));
        byte[] bytes = [(byte)gateway.Length, .. Encoding.ASCII.GetBytes(gateway), .. identity[..^DescriptionBytes]];
        _series[row.GetInt64(0)] = new OldSeries(
            gateway, SeriesIdentity.Read(SHA256.HashData(bytes)), (MetricType)row.GetInt16(3));
    }

    private void TakeFrame(NpgsqlDataReader row) => Add(row.GetString(0), (ulong)row.GetInt64(1));

    private void TakeReading(NpgsqlDataReader row)
    {
        if (!_series.TryGetValue(row.GetInt64(0), out var series))
        {
            return;
        }

        var (time, marks) = (ColumnValues.Micros(row.GetDateTime(1)), row.GetInt16(2));
        var flags = (ReadingFlags)marks & ReadingFlags.All;
        var bits = !row.IsDBNull(4) ? BitConverter.DoubleToUInt64Bits(row.GetDouble(4))
            : !row.IsDBNull(3) && ScaledNumber.IsScaled(marks) ? ScaledNumber.Unscale(row.GetInt64(3), marks)
            : !row.IsDBNull(3) ? (ulong)row.GetInt64(3)
            : !row.IsDBNull(5) ? XxHash64.HashToUInt64(row.GetFieldValue<byte[]>(5))
            : 0;
        var old = HashByKey((ulong)row.GetInt64(0), time, series.Type, bits, flags);
        Add(series.Gateway, ReadingHash.Of(series.Identity, time, series.Type, bits, flags) - old);
    }

    private void Add(string gateway, ulong sum) => _sums[gateway] = _sums.GetValueOrDefault(gateway) + sum;

    private static ulong HashByKey(ulong key, long time, MetricType type, ulong bits, ReadingFlags flags)
    {
        Span<byte> bytes = stackalloc byte[26];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, key);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], time);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], bits);
        bytes[24] = (byte)type;
        bytes[25] = (byte)flags;
        return XxHash64.HashToUInt64(bytes);
    }

    private readonly record struct OldSeries(string Gateway, SeriesIdentity Identity, MetricType Type);
}
