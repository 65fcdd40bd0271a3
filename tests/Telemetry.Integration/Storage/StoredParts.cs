using Npgsql;
using Telemetry.Storage.Postgres.Statements;
using Telemetry.Storage.Postgres.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage;

/// <summary>Reads parts of windows from their table.</summary>
internal static class StoredParts
{
    public const string Sql = """
        SELECT s.identity, p.start, p.width, p.flags, p.readings, p.numbers, p.nulls, p.uncertain, p.bad, p.hash_sum,
            p.first_at, p.last_at, p.i_sum, p.f_sum, p.i_min, p.i_max, p.i_first, p.i_last, p.f_min, p.f_max, p.f_first,
            p.f_last, p.f_squares, p.f_integral, p.sketch
        FROM telemetry.window_part p
        """;

    public static StoredPart Read(NpgsqlDataReader r)
    {
        var flags = r.GetInt16(3);
        var start = ColumnValues.Micros(r.GetDateTime(1));
        var exact = flags >> PartEncoder.DecimalsShift > 0;
        return new StoredPart(
            ColumnValues.Identity(r.GetFieldValue<byte[]>(0)), new WindowSpan(start, r.GetInt32(2)))
        {
            IsLate = (flags & PartEncoder.LateBit) != 0,
            IsUnordered = (flags & PartEncoder.UnorderedBit) != 0,
            Counts = (r.GetInt32(4), r.GetInt32(5), r.GetInt32(6), r.GetInt32(7), r.GetInt32(8)),
            HashSum = (ulong)r.GetInt64(9),
            Times = r.IsDBNull(10) ? null : (start + r.GetInt32(10), start + r.GetInt32(11)),
            Decimals = exact ? (flags >> PartEncoder.DecimalsShift) - 1 : null,
            ExactSum = r.IsDBNull(12) ? null : r.GetInt64(12),
            SumBits = Double(r, 13),
            Bits = exact ? (Long(r, 14), Long(r, 15), Long(r, 16), Long(r, 17))
                : Double(r, 18) is { } min ? (min, Double(r, 19)!.Value, Double(r, 20)!.Value, Double(r, 21)!.Value)
                : null,
            SquaresBits = Double(r, 22),
            IntegralBits = Double(r, 23),
            Sketch = r.IsDBNull(24) ? null : Convert.ToHexString(r.GetFieldValue<byte[]>(24)),
        };
    }

    private static ulong Long(NpgsqlDataReader r, int column) => (ulong)r.GetInt64(column);

    private static ulong? Double(NpgsqlDataReader r, int column) =>
        r.IsDBNull(column) ? null : BitConverter.DoubleToUInt64Bits(r.GetDouble(column));
}
