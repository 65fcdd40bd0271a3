using Telemetry.Inputs.Senders;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Streams;
using Telemetry.TestKit.Checking;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Processing;

/// <summary>
/// Puts frames of made-up gateways into the log, as an ingress does, and keeps a journal of what they carry.
/// </summary>
internal sealed class FrameSource(IFrameLog log, int partitions) : IAsyncDisposable
{
    private static readonly SchemaMessage Schema = SchemaMessage.Of(
        default, [new SeriesDefinition { Device = "pump", Metric = "flow" }]);

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<GatewayId, SenderJournal> _journals = [];
    private readonly Dictionary<GatewayId, long> _sealed = [];
    private int _attempts;

    /// <summary>
    /// True: readings are of now, and frames promise that no older one follows; false: they are of 2023, and frames
    /// promise nothing.
    /// </summary>
    public bool IsLive { get; set; }

    /// <summary>So many gateways of each partition.</summary>
    public IReadOnlyList<GatewayId> Gateways(int ofPartition)
    {
        var counts = new int[partitions];
        var gateways = new List<GatewayId>();
        for (var number = 0; gateways.Count < ofPartition * partitions; number++)
        {
            var gateway = GatewayId.Parse($"gw-{number:000}");
            if (counts[gateway.Partition(partitions)]++ < ofPartition)
            {
                gateways.Add(gateway);
            }
        }

        return gateways;
    }

    /// <summary>Readings sent so far.</summary>
    public long Sent => _sealed.Values.Sum();

    public async Task SendSchemas(IEnumerable<GatewayId> gateways)
    {
        foreach (var gateway in gateways)
        {
            _journals.Add(gateway, SenderJournal.Open(_folder.At($"{gateway}.journal"), gateway));
            await Send(gateway, writer => Schema.Write(writer, Lane.Live));
        }
    }

    /// <summary>Sends a frame of so many readings to each of these gateways, until cancelled.</summary>
    public async Task Flow(
        IReadOnlyList<GatewayId> gateways, int readings, TimeSpan pause, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var gateway in gateways)
            {
                await SendFloats(gateway, readings);
            }

            await Task.Delay(pause, CancellationToken.None);
        }
    }

    /// <summary>What journals and SQL say, gateways having told their totals by a hello or not.</summary>
    public Task<BooksVerdict> Judge(string connectionString) => new BooksChecker(
        connectionString, [.. _journals.Keys.Select(g => _folder.At($"{g}.journal"))])
        .CheckAsync(drained: false, default);

    public ValueTask DisposeAsync()
    {
        foreach (var journal in _journals.Values)
        {
            journal.Dispose();
        }

        return _folder.DisposeAsync();
    }

    private Task SendFloats(GatewayId gateway, int readings)
    {
        var batch = new ReadingBatch();
        var first = _sealed.GetValueOrDefault(gateway);
        var journal = _journals[gateway];
        var time = IsLive ? Math.Max(Now(), journal.LastTime + 1) : 1_700_000_000_000_000 + first;
        for (var i = 0; i < readings; i++)
        {
            batch.Add(0, time + i, (double)(first + i));
        }

        var series = SeriesList.Empty(gateway).Extend(Schema);
        journal.Acknowledge(journal.Attempt(batch, series), batch.Count);
        var order = new int[batch.Count];
        batch.Order(order);
        var header = new FrameHeader { Key = new FrameKey(9, Lane.Live, first + 1, readings), Schema = Schema.Id };
        header = !IsLive ? header : header with
        {
            Promise = new Promise(
                time, [new EpochLasts(header.Key.Epoch, new LaneLasts().With(Lane.Live, header.Key.Last))], 0),
        };
        _sealed[gateway] = header.Key.Last;
        return Send(gateway, writer => FrameWriter.Write(writer, header, [], batch, order, series.Types));
    }

    private static long Now() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private async Task Send(GatewayId gateway, Action<WireWriter> write)
    {
        var writer = new WireWriter();
        new FrameEnvelope(5, new Attempt(7, ++_attempts)).Write(writer);
        var message = new WireWriter();
        write(message);
        writer.Bytes(message.Written);
        await log.AppendAsync(
            gateway.Partition(partitions), StreamKind.Live, gateway, $"message {_attempts}", writer.ToArray(), default);
    }
}
