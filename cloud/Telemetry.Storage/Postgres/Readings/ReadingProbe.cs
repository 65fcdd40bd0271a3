using Npgsql;
using NpgsqlTypes;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage.Postgres.Statements;

namespace Telemetry.Storage.Postgres.Readings;

/// <summary>
/// Finds the readings that the table refuses, by one call of telemetry.refused_readings in a transaction that is always
/// rolled back. The server uses one subtransaction for each reading, about 10 µs each, where halving would take a round
/// trip each.
/// </summary>
internal static class ReadingProbe
{
    // Deferred constraints are checked at once, so that each error names its reading.
    private const string ImmediateSql = "SET CONSTRAINTS ALL IMMEDIATE";

    private const string FindSql = "SELECT reading, error FROM telemetry.refused_readings($1, $2, $3, $4, $5, $6, $7)";

    public static async Task<IReadOnlyList<RefusedReading>> FindAsync(
        NpgsqlConnection connection, ReadingBuffer rows, CancellationToken cancellationToken)
    {
        // Disposing without a commit rolls back.
        await using var transaction = await BesideTransaction.BeginAsync(connection, cancellationToken);
        await using (var immediate = new NpgsqlCommand(ImmediateSql, connection))
        {
            await immediate.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new NpgsqlCommand(FindSql, connection);
        Fill(command, rows);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var refused = new List<RefusedReading>();
        while (await reader.ReadAsync(cancellationToken))
        {
            refused.Add(new RefusedReading(reader.GetInt32(0), reader.GetString(1)));
        }

        return refused;
    }

    private static void Fill(NpgsqlCommand command, ReadingBuffer rows)
    {
        var (devices, series, times) = (new int[rows.Count], new int[rows.Count], new DateTime[rows.Count]);
        var (integers, floats) = (new long?[rows.Count], new double?[rows.Count]);
        var (flags, texts) = (new short[rows.Count], new byte[]?[rows.Count]);
        for (var row = 0; row < rows.Count; row++)
        {
            var of = rows.Series[row];
            (devices[row], series[row]) = (of.DeviceNumber, of.Number);
            times[row] = ColumnValues.Time(rows.Times[row]);
            flags[row] = (short)rows.Flags[row];
            var bits = rows.Bits[row];
            if ((rows.Flags[row] & ReadingFlags.Null) != 0)
            {
                continue;
            }

            switch (of.Type)
            {
                case MetricType.Text:
                    texts[row] = rows.Text(bits).ToArray();
                    break;
                case MetricType.Float when ScaledNumber.TryScale(bits, of.Decimals, out var scaled):
                    integers[row] = scaled;
                    flags[row] |= ScaledNumber.Mark(of.Decimals);
                    break;
                case MetricType.Float:
                    floats[row] = BitConverter.UInt64BitsToDouble(bits);
                    break;
                default:
                    integers[row] = (long)bits;
                    break;
            }
        }

        Add(devices, NpgsqlDbType.Integer);
        Add(series, NpgsqlDbType.Integer);
        Add(times, NpgsqlDbType.TimestampTz);
        Add(integers, NpgsqlDbType.Bigint);
        Add(floats, NpgsqlDbType.Double);
        Add(flags, NpgsqlDbType.Smallint);
        Add(texts, NpgsqlDbType.Bytea);

        void Add(object column, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter { Value = column, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
