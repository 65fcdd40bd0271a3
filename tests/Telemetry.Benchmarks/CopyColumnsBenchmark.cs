using System.Buffers.Binary;
using System.Diagnostics;
using Npgsql;
using Telemetry.TestKit.Servers;

namespace Telemetry.Benchmarks;

/// <summary>
/// What each column of telemetry.reading costs: COPY of the same readings, encoded beforehand, over one connection into
/// tables without index that differ by a column. All tables take turns, so that a slow minute of the machine strikes
/// all of them. The server's CPU time a row is what others on the machine disturb least.
/// </summary>
internal static class CopyColumnsBenchmark
{
    private const int Rows = 200_000, Series = 1_000;
    private const string Time = "time timestamptz", Value = "f double precision", Number = "series integer";
    private const string Flags = "flags smallint", Integer = "i bigint", Text = "t text", Device = "device integer";

    private static readonly (string Name, string[] Columns)[] Tables =
    [
        ("time", [Time]),
        ("time-value", [Time, Value]),
        ("time-value-series", [Time, Value, Number]),
        ("time-value-series-flags", [Time, Value, Number, Flags]),
        ("with-i-null", [Time, Integer, Value, Number, Flags]),
        ("reading", [Time, Integer, Value, Number, Flags, Text]),
        ("reading-with-device", [Device, Time, Integer, Value, Number, Flags, Text]),
        ("reading-with-two-keys", ["device_key bigint", "series_key bigint", Time, Integer, Value, Flags, Text]),
    ];

    public static async Task RunAsync(RunLength length)
    {
        await using var server = await PostgresServer.Start(new PostgresOptions
        {
            ForceToDisk = true,
            Settings = new Dictionary<string, string> { ["max_wal_size"] = "4GB", ["shared_buffers"] = "256MB" },
        });
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        var backend = (int)await ScalarAsync(connection, "SELECT pg_backend_pid()::bigint");
        var cpu = new TimeSpan[Tables.Length];
        var rounds = length.IsShort ? 3 : 15;
        var copies = Array.ConvertAll(Tables, table => Encode(table.Columns));
        var rates = Array.ConvertAll(Tables, _ => new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            for (var t = 0; t < Tables.Length; t++)
            {
                var before = CpuTime.Of(backend);
                var rate = await CopyAsync(connection, t, copies[t]);
                if (round >= 0)
                {
                    rates[t].Add(rate);
                    cpu[t] += CpuTime.Of(backend) - before;
                }
            }
        }

        for (var t = 0; t < Tables.Length; t++)
        {
            var bytes = await ScalarAsync(connection, $"SELECT pg_relation_size('copied_{t}')");
            rates[t].Sort();
            Figure.Print($"copy.{Tables[t].Name}.rows", rates[t][rounds / 2], "rows/s");
            Figure.Print($"copy.{Tables[t].Name}.cpu", cpu[t].TotalNanoseconds / rounds / Rows, "ns/row");
            Figure.Print($"copy.{Tables[t].Name}.bytes", bytes / (double)Rows, "B/row");
        }
    }

    // A table of its own each time, so that none is larger than another.
    private static async Task<double> CopyAsync(NpgsqlConnection connection, int table, ReadOnlyMemory<byte> bytes)
    {
        var columns = string.Join(", ", Tables[table].Columns);
        await ExecuteAsync(
            connection, $"DROP TABLE IF EXISTS copied_{table}; CREATE TABLE copied_{table} ({columns})");
        var start = Stopwatch.GetTimestamp();
        await using (var copy = await connection.BeginRawBinaryCopyAsync(
            $"COPY copied_{table} FROM STDIN (FORMAT BINARY)"))
        {
            await copy.WriteAsync(bytes);
        }

        return Rows / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static ReadOnlyMemory<byte> Encode(string[] columns)
    {
        var bytes = new MemoryStream();
        bytes.Write("PGCOPY\n"u8);
        bytes.Write([0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Span<byte> field = stackalloc byte[12];
        for (var row = 0; row < Rows; row++)
        {
            BinaryPrimitives.WriteInt16BigEndian(field, (short)columns.Length);
            bytes.Write(field[..2]);
            foreach (var column in columns)
            {
                bytes.Write(field[..Put(field, column, row)]);
            }
        }

        bytes.Write([0xFF, 0xFF]);
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    // Series after series, ten times each, as a frame has them.
    private static int Put(Span<byte> field, string column, int row)
    {
        var series = 1 + (row / 10 % Series);
        var width = column switch
        {
            Integer or Text => -1,
            Flags => 2,
            Number or Device => 4,
            _ => 8,
        };
        BinaryPrimitives.WriteInt32BigEndian(field, width);
        switch (column)
        {
            case Integer or Text:
                return 4;
            case Flags:
                BinaryPrimitives.WriteInt16BigEndian(field[4..], 0);
                break;
            case Number or Device:
                BinaryPrimitives.WriteInt32BigEndian(field[4..], column == Number ? series : series / 20);
                break;
            case Value:
                BinaryPrimitives.WriteDoubleBigEndian(field[4..], row / 7.0);
                break;
            case Time:
                BinaryPrimitives.WriteInt64BigEndian(field[4..], 800_000_000_000_000 + (row * 1_000L));
                break;
            default:
                BinaryPrimitives.WriteInt64BigEndian(field[4..], series * 0x1E37_79B9_7F4A_7C15);
                break;
        }

        return 4 + width;
    }

    private static async Task<long> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
