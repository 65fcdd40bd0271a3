using System.Buffers.Binary;
using System.Diagnostics;
using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Benchmarks.Drain;

/// <summary>
/// What the database takes at best: COPY of (timestamptz, int4, int2, float8), encoded beforehand, into a plain table
/// without an index, over so many connections.
/// </summary>
internal sealed class CopyLimit : IAsyncDisposable
{
    private const string Database = "copy_limit", Table = "CREATE TABLE reading (time timestamptz, series int4, "
        + "flags int2, value float8)";

    private const string CopySql = "COPY reading FROM STDIN (FORMAT BINARY)";
    private const int Prepared = 20;
    private const long MicrosTo2000 = 946_684_800_000_000;

    private readonly string _connectionString;
    private readonly byte[][][] _transactions;
    private readonly int _readings;
    private readonly TimeSpan _least;

    private CopyLimit(string connectionString, byte[][][] transactions, int readings, TimeSpan least) =>
        (_connectionString, _transactions, _readings, _least) = (connectionString, transactions, readings, least);

    /// <summary>A database of its own on a running server; the readings are those of a log as it is filled.</summary>
    public static async Task<CopyLimit> OpenAsync(
        string server, int connections, int readingsOfTransaction, TimeSpan least)
    {
        await ExecuteAsync(server, $"CREATE DATABASE {Database}");
        var own = new NpgsqlConnectionStringBuilder(server) { Database = Database, Pooling = false }.ConnectionString;
        await ExecuteAsync(own, Table);
        var frames = readingsOfTransaction / FilledLog.FrameReadings;
        var gateway = 0;
        byte[] Transaction() => Encode([.. Enumerable.Range(0, frames).Select(_ => FilledLog.Rows(gateway++))]);
        var transactions = Enumerable.Range(0, connections)
            .Select(_ => Enumerable.Range(0, Prepared).Select(_ => Transaction()).ToArray()).ToArray();
        return new CopyLimit(own, transactions, frames * FilledLog.FrameReadings, least);
    }

    /// <summary>
    /// Readings a second of all connections, and the server's CPU a reading in microseconds; what was stored is
    /// removed. <paramref name="serverCpu"/> gives the server's CPU so far, of its running processes.
    /// </summary>
    public async Task<(double Rate, double Cpu)> MeasureAsync(Func<TimeSpan> serverCpu)
    {
        var connections = new List<NpgsqlConnection>();
        foreach (var _ in _transactions)
        {
            connections.Add(new NpgsqlConnection(_connectionString));
            await connections[^1].OpenAsync();
        }

        var before = serverCpu();
        var turns = await Task.WhenAll(
            _transactions.Zip(connections, (t, connection) => Task.Run(() => CopyAsync(connection, t))));
        var cpu = (serverCpu() - before).TotalMicroseconds / turns.Sum(t => t.Stored);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        await ExecuteAsync(_connectionString, "TRUNCATE reading");
        return (turns.Sum(t => t.Rate), cpu);
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await Task.CompletedTask;
    }

    private async Task<(long Stored, double Rate)> CopyAsync(NpgsqlConnection connection, byte[][] transactions)
    {
        long stored = 0;
        var start = Stopwatch.GetTimestamp();
        for (var n = 0; Stopwatch.GetElapsedTime(start) < _least; n++)
        {
            await using var copy = await connection.BeginRawBinaryCopyAsync(CopySql);
            await copy.WriteAsync(transactions[n % transactions.Length]);
            stored += _readings;
        }

        return (stored, stored / Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    // The format of COPY: PostgreSQL manual, COPY, "Binary Format".
    private static byte[] Encode(IReadOnlyList<ReadingBatch> frames)
    {
        var bytes = new MemoryStream();
        bytes.Write("PGCOPY\n"u8);
        bytes.Write([0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        Span<byte> row = stackalloc byte[2 + (4 * 4) + 8 + 4 + 2 + 8];
        for (var f = 0; f < frames.Count; f++)
        {
            var batch = frames[f];
            for (var i = 0; i < batch.Count; i++)
            {
                var isNull = (batch.Flags[i] & ReadingFlags.Null) != 0;
                BinaryPrimitives.WriteInt16BigEndian(row, 4);
                BinaryPrimitives.WriteInt32BigEndian(row[2..], 8);
                BinaryPrimitives.WriteInt64BigEndian(row[6..], batch.Times[i] - MicrosTo2000);
                BinaryPrimitives.WriteInt32BigEndian(row[14..], 4);
                BinaryPrimitives.WriteInt32BigEndian(row[18..], (f * FilledLog.Types.Length) + batch.Series[i]);
                BinaryPrimitives.WriteInt32BigEndian(row[22..], 2);
                BinaryPrimitives.WriteInt16BigEndian(row[26..], (short)batch.Flags[i]);
                BinaryPrimitives.WriteInt32BigEndian(row[28..], isNull ? -1 : 8);
                var value = Value(FilledLog.Types[batch.Series[i]], batch.Bits[i]);
                BinaryPrimitives.WriteDoubleBigEndian(row[32..], value);
                bytes.Write(row[..(isNull ? 32 : 40)]);
            }
        }

        bytes.Write([0xFF, 0xFF]);
        return bytes.ToArray();
    }

    private static double Value(MetricType type, ulong bits) => type switch
    {
        MetricType.Float => BitConverter.UInt64BitsToDouble(bits),
        MetricType.Int => (long)bits,
        _ => bits,
    };
}
