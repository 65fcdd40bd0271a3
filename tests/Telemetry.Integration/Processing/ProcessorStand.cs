using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Inputs.Senders;
using Telemetry.Integration.Storage;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing;
using Telemetry.Runtime;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>
/// The processor on its thread, between a nats-server and a PostgreSQL of the test's own; one partition.
/// </summary>
internal sealed class ProcessorStand : IAsyncDisposable
{
    public static readonly SchemaMessage Schema = SchemaMessage.Of(
        default,
        [
            new SeriesDefinition { Device = "pump", Metric = "flow" },
            new SeriesDefinition { Device = "pump", Metric = "state", Type = MetricType.Text },
        ]);

    private readonly NatsServer _nats;
    private readonly PostgresServer _postgres;
    private readonly JetStreamConnection _connection;
    private readonly JetStreamFrameLog _log;
    private readonly NatsControlChannel _control;
    private readonly EventLoop _loop = new("processor");
    private readonly CancellationTokenSource _stop = new();
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<GatewayId, SenderJournal> _journals = [];
    private readonly Dictionary<GatewayId, long> _sealed = [];
    private readonly Processor _processor;
    private readonly Task _running;
    private int _attempts;

    private ProcessorStand(
        NatsServer nats, PostgresServer postgres, JetStreamConnection connection, PostgresDatabase database,
        ProcessorOptions options)
    {
        (_nats, _postgres, _connection, Database) = (nats, postgres, connection, database);
        _log = new JetStreamFrameLog(connection, new JetStreamFrameLogOptions(), SampleInstallation.Of(1));
        _control = new NatsControlChannel(connection, SampleInstallation.Of(1));
        _processor = new Processor(
            database.Store, _log, _control, options with { Partitions = 1 }, TimeProvider.System, new Random(1),
            NullLogger.Instance);
        _running = _loop.RunAsync(() => _processor.RunAsync(_stop.Token));
    }

    public PostgresDatabase Database { get; }

    /// <summary>The log that the processor reads.</summary>
    public JetStreamFrameLog Log => _log;

    public ProcessorCounters Counters => _processor.Counters;

    /// <summary>What the next frames promise: no older reading follows, in microseconds since 1970 UTC.</summary>
    public long? Promised { get; set; }

    public static async Task<ProcessorStand> Start(ProcessorOptions? options = null)
    {
        var nats = await NatsServer.Start();
        var postgres = await PostgresServer.Start(null);
        var database = await PostgresDatabase.Create(postgres.ConnectionString);
        var connection = await JetStreamConnection.ConnectAsync(new NatsOptions { Servers = [nats.Url] });
        var stand = new ProcessorStand(nats, postgres, connection, database, options ?? new ProcessorOptions());
        await stand._log.EnsureStreamsAsync(0, default);
        return stand;
    }

    public static GatewayId Gateway(int number) => GatewayId.Parse($"gw-{number:000}");

    /// <summary>Says the schema of a gateway's series: a float, a text.</summary>
    public Task SendSchema(GatewayId gateway) => Send(gateway, writer => Schema.Write(writer, Lane.Live));

    /// <summary>Sends a frame of floats, and notes it in the gateway's journal as acknowledged.</summary>
    public Task SendFloats(GatewayId gateway, params double[] values)
    {
        var batch = new ReadingBatch();
        var first = _sealed.GetValueOrDefault(gateway);
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, 1_700_000_000_000_000 + first + i, values[i]);
        }

        return SendFrame(gateway, batch);
    }

    /// <summary>Sends a frame, its declarations with it.</summary>
    public Task SendFrame(GatewayId gateway, ReadingBatch batch, params Declaration[] declarations)
    {
        var series = SeriesList.Empty(gateway).Extend(Schema);
        if (!_journals.TryGetValue(gateway, out var journal))
        {
            _journals.Add(gateway, journal = SenderJournal.Open(_folder.At($"{gateway}.journal"), gateway));
        }

        journal.Acknowledge(journal.Attempt(batch, series), batch.Count);
        var order = new int[batch.Count];
        batch.Order(order);
        var dropped = declarations.Sum(d => d.Count);
        var header = new FrameHeader
        {
            Key = new FrameKey(9, Lane.Live, 1 + _sealed.GetValueOrDefault(gateway), batch.Count + dropped),
            Schema = Schema.Id,
            Dropped = dropped,
        };
        header = Promised is not { } w ? header : header with
        {
            Promise = new Promise(
                w, [new EpochLasts(header.Key.Epoch, new LaneLasts().With(Lane.Live, header.Key.Last))], 0),
        };
        _sealed[gateway] = header.Key.Last;
        return Send(gateway, writer => FrameWriter.Write(writer, header, declarations, batch, order, series.Types));
    }

    /// <summary>Sends bytes that are no frame.</summary>
    public Task SendBytes(GatewayId gateway, byte[] bytes) => Send(gateway, writer => writer.Bytes(bytes));

    /// <summary>Says a hello, as an ingress does.</summary>
    public Task Say(GatewayId gateway, Hello hello)
    {
        var writer = new WireWriter();
        hello.Write(writer);
        return _control.SayHelloAsync(0, gateway, writer.ToArray(), default).AsTask();
    }

    /// <summary>Waits until so many readings are settled in all.</summary>
    public Task WaitUntilSettled(long readings) => Until(async () =>
        await Database.Row(
            "SELECT coalesce(sum(stored + rejected + dropped), 0) FROM telemetry.gateway") == $"{readings}");

    public async Task Until(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(
                tries < 3000,
                "it did not come true in 30 s: "
                + $"{await Database.Row("SELECT sum(stored), sum(rejected), sum(dropped) FROM telemetry.gateway")}");
            if (_running.IsCompleted)
            {
                await _running;
            }

            await Task.Delay(10);
        }
    }

    /// <summary>Says stored, rejected and dropped of all gateways.</summary>
    public Task<string> Books() =>
        Database.Row("SELECT sum(stored), sum(rejected), sum(dropped) FROM telemetry.gateway");

    /// <summary>What journals and SQL say, gateways having told their totals by a hello or not.</summary>
    public Task<BooksVerdict> Judge() => new BooksChecker(
        Database.ConnectionString,
        [.. _journals.Keys.Select(g => _folder.At($"{g}.journal"))]).CheckAsync(drained: false, default);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _loop.Dispose();
        foreach (var journal in _journals.Values)
        {
            journal.Dispose();
        }

        await Database.DisposeAsync();
        await _connection.DisposeAsync();
        await _nats.DisposeAsync();
        await _postgres.DisposeAsync();
        await _folder.DisposeAsync();
        _stop.Dispose();
    }

    private async Task Send(GatewayId gateway, Action<WireWriter> write)
    {
        var writer = new WireWriter();
        new FrameEnvelope(5, new Attempt(7, ++_attempts)).Write(writer);
        var message = new WireWriter();
        write(message);
        writer.Bytes(message.Written);
        await _log.AppendAsync(0, StreamKind.Live, gateway, $"message {_attempts}", writer.ToArray(), default);
    }
}
