using System.Diagnostics;
using Npgsql;
using Telemetry.Cloud.Storage;
using Telemetry.Cloud.Storage.Postgres;
using Telemetry.Edge.Inputs;
using Telemetry.Model;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Testing.Contracts;

namespace Telemetry.Benchmarks.EndToEnd;

/// <summary>
/// What the database takes when nobody else asks anything of the machine: ledger, register and raw COPY of readings as
/// the gateways make them, one transaction after another over one connection. Making the readings is not timed.
/// </summary>
internal sealed class StoreLimit : IAsyncDisposable
{
    private const int Partitions = 16, Prepared = 4;
    private readonly TimeSpan _least;
    private readonly PostgresStore _store;
    private readonly string _connectionString;
    private readonly int _gateways, _readingsOfFrame;
    private readonly GatewayId[] _ids;
    private readonly SeriesList[] _lists;
    private readonly GeneratorOptions _options = new() { Devices = 4, SeriesPerDevice = 5 };
    private readonly PartitionStep[] _steps = new PartitionStep[Partitions];
    private readonly long[] _sequences;
    private long _time = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private StoreLimit(PostgresStore store, string connectionString, int gateways, int readingsOfFrame, TimeSpan least)
    {
        (_store, _connectionString, _gateways, _readingsOfFrame, _least) =
            (store, connectionString, gateways, readingsOfFrame, least);
        _ids = [.. Enumerable.Range(1, gateways).Select(i => GatewayId.Parse($"limit-{i}"))];
        _lists = [.. _ids.Select(ListOf)];
        _sequences = new long[gateways];
    }

    /// <summary>A database of its own on a running server; each rate is measured for so long at least.</summary>
    public static async Task<StoreLimit> OpenAsync(
        string server, string name, int gateways, int readingsOfFrame, TimeSpan least)
    {
        await using (var connection = new NpgsqlConnection(server))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
            await command.ExecuteNonQueryAsync();
        }

        var own = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
        var store = await PostgresStore.OpenAsync(
            new PostgresStoreOptions { ConnectionString = own }, TimeProvider.System, CancellationToken.None);
        var limit = new StoreLimit(store, own, gateways, readingsOfFrame, least);
        for (var p = 0; p < Partitions; p++)
        {
            limit._steps[p] = StoreSteps.Step(await StoreSteps.Take(store, p));
        }

        return limit;
    }

    /// <summary>Readings a second, in transactions of about so many.</summary>
    public async Task<double> MeasureAsync(int readingsOfTransaction)
    {
        var frames = Math.Max(1, readingsOfTransaction / _readingsOfFrame);
        var commits = Enumerable.Range(0, Prepared).Select(_ => new StoreCommit()).ToArray();
        var spent = TimeSpan.Zero;
        long stored = 0;
        var next = 0;
        for (var warm = 2; spent < _least; warm--)
        {
            foreach (var commit in commits)
            {
                Fill(commit, ref next, frames);
                var start = Stopwatch.GetTimestamp();
                if (await _store.CommitAsync(commit, CancellationToken.None) != CommitOutcome.Committed)
                {
                    throw new InvalidOperationException("the partitions are another's");
                }

                if (warm <= 0)
                {
                    spent += Stopwatch.GetElapsedTime(start);
                    stored += commit.Readings.Count;
                }

                for (var p = 0; p < Partitions; p++)
                {
                    _steps[p] = StoreSteps.Step(StoreSteps.After(_steps[p]));
                }
            }
        }

        return stored / spent.TotalSeconds;
    }

    /// <summary>
    /// Readings a second of COPY alone, in transactions of about so many, encoded before the clock runs.
    /// </summary>
    public async Task<double> MeasureCopyAsync(int readingsOfTransaction)
    {
        var commit = new StoreCommit();
        var next = 0;
        Fill(commit, ref next, Math.Max(1, readingsOfTransaction / _readingsOfFrame));
        var encoder = new ReadingEncoder();
        encoder.Begin();
        var bytes = new MemoryStream();
        while (encoder.Next(commit.Readings) is { IsEmpty: false } chunk)
        {
            bytes.Write(chunk.Span);
        }

        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        long stored = 0;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < _least)
        {
            await using var copy = await connection.BeginRawBinaryCopyAsync(ReadingEncoder.CopySql);
            await copy.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
            stored += commit.Readings.Count;
        }

        return stored / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    private SeriesList ListOf(GatewayId gateway)
    {
        var definitions = Enumerable.Range(0, _options.Devices * _options.SeriesPerDevice)
            .Select(i => GeneratorSeries.Define(_options, i)).ToArray();
        var empty = SeriesList.Empty(gateway);
        return empty.Extend(SchemaMessage.Of(empty.Id, definitions));
    }

    private void Fill(StoreCommit commit, ref int next, int frames)
    {
        commit.Clear();
        commit.Partitions.AddRange(_steps);
        var batch = new ReadingBatch(_readingsOfFrame);
        for (var n = 0; n < frames; n++, next = (next + 1) % _gateways)
        {
            var (gateway, list) = (_ids[next], _lists[next]);
            var first = _sequences[next] + 1;
            _sequences[next] += _readingsOfFrame;
            batch.Clear();
            for (var s = 0; s < list.Types.Length; s++)
            {
                var series = GeneratorSeries.Of(_options with { Seed = n }, s, s);
                for (var i = 0; i < _readingsOfFrame / list.Types.Length; i++)
                {
                    series.Next(batch, _time + (i * list.Types.Length) + s);
                }
            }

            for (var i = 0; i < batch.Count; i++)
            {
                var index = batch.Series[i];
                commit.Readings.Add(
                    list.DeviceKeys[index], list.Keys[index], list.Types[index], batch.Times[i], batch.Flags[i],
                    batch.Bits[i], list.Definitions[index].Decimals);
            }

            var frame = StoreSteps.Frame(first, _readingsOfFrame) with { Gateway = gateway };
            commit.Gateways.Add(
                GatewayRow.New(gateway, next % Partitions) with { Stored = _sequences[next], Watermark = _time });
            commit.Lanes.Add(new LaneLedgerRow(gateway, 7, Lane.Live, frame.Key.Last, frame.Checksum));
            commit.Frames.Add(frame);
            _time += 1000;
        }
    }
}
