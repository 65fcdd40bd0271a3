using System.Diagnostics;
using Npgsql;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Benchmarks.Layout;

/// <summary>
/// COPY of the same readings over one connection into tables that differ by partitions and index, in turns. The CPU
/// time of the server's process is what others on the machine disturb least.
/// </summary>
internal static class LayoutCopies
{
    private const int Series = 1_000, Times = 10, Rounds = 30;
    private const string Columns = "(time timestamptz NOT NULL, i bigint, f double precision, series integer NOT NULL, "
        + "flags smallint NOT NULL, t text, indexed boolean NOT NULL DEFAULT false)";

    // The tables' names, and what makes them; weeks as before version 10.
    private static readonly (string Name, string Sql)[] Tables =
    [
        ("plain", $"CREATE TABLE plain {Columns}"),
        ("weeks", Weeks("weeks")),
        ("weeks_brin", $"{Weeks("weeks_brin")}; CREATE INDEX ON weeks_brin USING brin (time) "
            + "WITH (autosummarize = on)"),
        ("weeks_btree", $"{Weeks("weeks_btree")}; CREATE INDEX ON weeks_btree (series, time)"),
        ("arrived", $"CREATE TABLE parted {Columns} PARTITION BY LIST (indexed); "
            + "CREATE TABLE arrived PARTITION OF parted FOR VALUES IN (false)"),
        ("arrived_by_parent", $"CREATE TABLE arrived_by_parent {Columns} PARTITION BY LIST (indexed); "
            + "CREATE TABLE arrived_2 PARTITION OF arrived_by_parent FOR VALUES IN (false); "
            + "CREATE TABLE indexed_2 PARTITION OF arrived_by_parent FOR VALUES IN (true)"),
    ];

    public static async Task RunAsync(string server, int rounds)
    {
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        foreach (var (_, sql) in Tables)
        {
            await ExecuteAsync(connection, sql);
        }

        var rows = Readings();
        var backend = connection.ProcessID;
        var rates = Array.ConvertAll(Tables, _ => new List<double>());
        var cpu = Array.ConvertAll(Tables, _ => new List<double>());
        for (var round = -1; round < rounds; round++)
        {
            for (var t = 0; t < Tables.Length; t++)
            {
                await ExecuteAsync(connection, $"TRUNCATE {Tables[t].Name}");
                var (before, start) = (CpuTime.Of(backend), Stopwatch.GetTimestamp());
                await CopyAsync(connection, Tables[t].Name, rows);
                if (round >= 0)
                {
                    rates[t].Add(rows.Count / Stopwatch.GetElapsedTime(start).TotalSeconds);
                    cpu[t].Add((CpuTime.Of(backend) - before).TotalNanoseconds / rows.Count);
                }
            }
        }

        for (var t = 0; t < Tables.Length; t++)
        {
            Figure.Print($"copy.{Tables[t].Name}.rows", LayoutBenchmark.Median(rates[t]), "rows/s");
            Figure.Print($"copy.{Tables[t].Name}.cpu", cpu[t].Average(), "ns/row");
        }
    }

    private static string Weeks(string table) => $"""
        CREATE TABLE {table} {Columns} PARTITION BY RANGE (time);
        CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;
        CREATE TABLE {table}_now PARTITION OF {table} FOR VALUES FROM ('2026-11-26Z') TO ('2026-12-03Z');
        CREATE TABLE {table}_next PARTITION OF {table} FOR VALUES FROM ('2026-12-03Z') TO ('2026-12-10Z')
        """;

    private static async Task CopyAsync(NpgsqlConnection connection, string table, ReadingBuffer rows)
    {
        var encoder = new ReadingEncoder(withDevice: false, table);
        await using var copy = await connection.BeginRawBinaryCopyAsync(encoder.CopySql);
        encoder.Begin();
        while (encoder.Next(rows) is { IsEmpty: false } chunk)
        {
            await copy.WriteAsync(chunk);
        }
    }

    private static ReadingBuffer Readings()
    {
        var entries = Enumerable.Range(1, Series).Select(number =>
        {
            var entry = StoreSteps.Numbered(MetricType.Float, 2, $"device-{number}");
            entry.Number = number;
            return entry;
        }).ToArray();
        var rows = new ReadingBuffer();
        var start = new DateTimeOffset(2026, 11, 27, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var series in entries)
            {
                for (var n = 0; n < Times; n++)
                {
                    rows.Add(
                        series, start + (((round * Times) + n) * 1_000_000L), ReadingFlags.None,
                        BitConverter.DoubleToUInt64Bits(20 + (n / 100.0)));
                }
            }
        }

        return rows;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
