using System.Diagnostics;
using Npgsql;
using Telemetry.Inputs.Generator;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Storage.Postgres.Readings;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Benchmarks.EndToEnd;

/// <summary>
/// What the database takes when nobody else asks anything of the machine: ledger, register and raw COPY of readings as
/// the gateways make them, one transaction after another over as many connections as the chain has. Making the readings
/// is not timed.
/// </summary>
internal sealed class StoreLimit : IAsyncDisposable
{
    private const int Partitions = 16, Prepared = 4;
    private readonly TimeSpan _least;
    private readonly PostgresStore _store;
    private readonly string _connectionString;
    private readonly Writer[] _writers;

    private StoreLimit(PostgresStore store, string connectionString, Writer[] writers, TimeSpan least) =>
        (_store, _connectionString, _writers, _least) = (store, connectionString, writers, least);

    /// <summary>
    /// A database of its own on a running server; so many writers side by side, each for its part of partitions and
    /// gateways; each rate is measured for so long at least.
    /// </summary>
    public static async Task<StoreLimit> OpenAsync(
        string server, string name, int writers, int gateways, int readingsOfFrame, TimeSpan least)
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
        var steps = new PartitionStep[Partitions];
        for (var p = 0; p < Partitions; p++)
        {
            steps[p] = StoreSteps.Step(await StoreSteps.Take(store, p));
        }

        return new StoreLimit(
            store,
            own,
            [.. Enumerable.Range(0, writers).Select(w => new Writer(
                w, gateways / writers, readingsOfFrame, [.. steps.Where((_, p) => p % writers == w)]))],
            least);
    }

    /// <summary>Readings a second of all writers, in transactions of about so many.</summary>
    public async Task<double> MeasureAsync(int readingsOfTransaction)
    {
        await RoundAsync(readingsOfTransaction);
        var rates = new List<double>();
        for (var spent = TimeSpan.Zero; spent < _least;)
        {
            var (rate, time) = await RoundAsync(readingsOfTransaction);
            rates.Add(rate);
            spent += time;
        }

        await RemoveReadingsAsync();
        return rates.Average();
    }

    /// <summary>Readings a second of COPY alone, on each connection, encoded before the clock runs.</summary>
    public async Task<double> MeasureCopyAsync(int readingsOfTransaction)
    {
        var rates = await Task.WhenAll(_writers.Select(w => w.Copies(readingsOfTransaction)).ToArray()
            .Select(c => Task.Run(() => CopyAsync(c.Bytes, c.Readings))));
        await RemoveReadingsAsync();
        return rates.Sum();
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    // So that a long run fills no disk.
    private async Task RemoveReadingsAsync()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("TRUNCATE telemetry.reading", connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Each writer's commits, one after another, and all writers at once. Each counts until its own last commit: who
    /// ends first leaves the rest of the machine to the others, which makes the limit rather too high.
    /// </summary>
    private async Task<(double Rate, TimeSpan Time)> RoundAsync(int readingsOfTransaction)
    {
        foreach (var writer in _writers)
        {
            writer.Prepare(readingsOfTransaction, Prepared);
        }

        var start = Stopwatch.GetTimestamp();
        var rates = await Task.WhenAll(_writers.Select(w => Task.Run(() => w.CommitAsync(_store))));
        return (rates.Sum(), Stopwatch.GetElapsedTime(start));
    }

    private async Task<double> CopyAsync(ReadOnlyMemory<byte> bytes, int readings)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        long stored = 0;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < _least)
        {
            await using var copy = await connection.BeginRawBinaryCopyAsync(
                new ReadingEncoder(withDevice: false).CopySql);
            await copy.WriteAsync(bytes);
            stored += readings;
        }

        return stored / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>One connection's share of gateways and partitions, as a worker of the chain has it.</summary>
    private sealed class Writer
    {
        private readonly int _readingsOfFrame;
        private readonly GatewayId[] _ids;
        private readonly SeriesList[] _lists;
        private readonly GeneratorOptions _options = new() { Devices = 4, SeriesPerDevice = 5 };
        private readonly PartitionStep[] _steps;
        private readonly long[] _sequences;
        private readonly List<StoreCommit> _commits = [];
        private int _next, _numbered;
        private long _time = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

        public Writer(int number, int gateways, int readingsOfFrame, PartitionStep[] steps)
        {
            (_readingsOfFrame, _steps) = (readingsOfFrame, steps);
            _ids = [.. Enumerable.Range(1, gateways).Select(i => GatewayId.Parse($"limit-{number}-{i}"))];
            _lists = [.. _ids.Select(ListOf)];
            _sequences = new long[gateways];
        }

        /// <summary>Makes the next commits; not timed.</summary>
        public void Prepare(int readings, int commits)
        {
            while (_commits.Count < commits)
            {
                _commits.Add(new StoreCommit());
            }

            foreach (var commit in _commits)
            {
                Fill(commit, Math.Max(1, readings / _readingsOfFrame));
                commit.Partitions.AddRange(_steps);
                for (var p = 0; p < _steps.Length; p++)
                {
                    _steps[p] = StoreSteps.Step(StoreSteps.After(_steps[p]));
                }
            }
        }

        /// <summary>Commits what was made; readings a second.</summary>
        public async Task<double> CommitAsync(PostgresStore store)
        {
            var start = Stopwatch.GetTimestamp();
            foreach (var commit in _commits)
            {
                if (await store.CommitAsync(commit, CancellationToken.None) != CommitOutcome.Committed)
                {
                    throw new InvalidOperationException("the partitions are another's");
                }
            }

            return _commits.Sum(c => c.Readings.Count) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        /// <summary>Readings as COPY takes them.</summary>
        public (ReadOnlyMemory<byte> Bytes, int Readings) Copies(int readings)
        {
            var commit = new StoreCommit();
            Fill(commit, Math.Max(1, readings / _readingsOfFrame));
            var encoder = new ReadingEncoder(withDevice: false);
            encoder.Begin();
            var bytes = new MemoryStream();
            while (encoder.Next(commit.Readings) is { IsEmpty: false } chunk)
            {
                bytes.Write(chunk.Span);
            }

            return (bytes.GetBuffer().AsMemory(0, (int)bytes.Length), commit.Readings.Count);
        }

        private SeriesList ListOf(GatewayId gateway)
        {
            var definitions = Enumerable.Range(0, _options.Devices * _options.SeriesPerDevice)
                .Select(i => GeneratorSeries.Define(_options, i)).ToArray();
            var empty = SeriesList.Empty(gateway);
            var list = empty.Extend(SchemaMessage.Of(empty.Id, definitions));
            foreach (var series in list.Entries)
            {
                series.Number = ++_numbered;
                series.DeviceNumber = 1 + ((_numbered - 1) / _options.SeriesPerDevice);
            }

            return list;
        }

        private void Fill(StoreCommit commit, int frames)
        {
            commit.Clear();
            var batch = new ReadingBatch(_readingsOfFrame);
            for (var n = 0; n < frames; n++, _next = (_next + 1) % _ids.Length)
            {
                var (gateway, list) = (_ids[_next], _lists[_next]);
                var first = _sequences[_next] + 1;
                _sequences[_next] += _readingsOfFrame;
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
                    commit.Readings.AddFrom(batch, i, list.Entries[batch.Series[i]]);
                }

                var frame = StoreSteps.Frame(first, _readingsOfFrame) with { Gateway = gateway };
                var partition = _steps[_next % _steps.Length].Expected.Partition;
                commit.Gateways.Add(
                    GatewayRow.New(gateway, partition) with { Stored = _sequences[_next], Watermark = _time });
                commit.Lanes.Add(new LaneLedgerRow(gateway, 7, Lane.Live, frame.Key.Last, frame.Checksum));
                commit.Frames.Add(frame);
                _time += 1000;
            }
        }
    }
}
