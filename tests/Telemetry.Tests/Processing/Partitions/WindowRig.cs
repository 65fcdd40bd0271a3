using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Storage.Windows;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Processors that own partitions one after the other, with one gateway in each partition.</summary>
internal sealed class WindowRig
{
    private readonly SimulatedFrameLog _log;
    private readonly SimulatedControlChannel _bus;
    private readonly Dictionary<(GatewayId, Lane), long> _sealed = [];
    private readonly int _partitions;
    private int _attempts;

    public WindowRig(int partitions)
    {
        _partitions = partitions;
        Store = new SimulatedStore(Pump, new Random(1));
        (_log, _bus) = (new SimulatedFrameLog(Pump, new Random(2)), new SimulatedControlChannel(Pump, new Random(3)));
        Gateways = [.. Enumerable.Range(0, partitions).Select(GatewayOf)];
    }

    public Pump Pump { get; } = new();

    public SimulatedStore Store { get; }

    public GatewayId[] Gateways { get; }

    public long NowMicros =>
        (Pump.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The readings that have parts in the database.</summary>
    public int InParts => Store.Content.Parts.Values.Sum(parts => parts.Sum(p => p.Count));

    /// <summary>The gateways whose rows say that parts are in memory alone.</summary>
    public int Open => Store.Content.Gateways.Values.Count(g => !g.OpenWindows.IsEmpty);

    public long Stored => Store.Content.Gateways.Values.Sum(g => g.Stored);

    public Task Pass(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), Pump.Clock);

    public Task<(Processor Processor, Task Running)> Start(string owner, CancellationToken stop) =>
        Start(owner, new WindowOptions(), null, stop);

    /// <summary>Starts a processor, in a life of its own if it is to be killed.</summary>
    public async Task<(Processor Processor, Task Running)> Start(
        string owner, WindowOptions windows, ProcessLife? life, CancellationToken stop)
    {
        for (var partition = 0; partition < _partitions; partition++)
        {
            await _log.EnsureStreamsAsync(partition, CancellationToken.None);
        }

        var options = new ProcessorOptions
        {
            Partitions = _partitions,
            Owner = owner,
            Windows = windows,
        };
        var processor = new Processor(
            Store, _log, _bus, options, life?.Time ?? Pump.Clock, new Random(owner[0]), NullLogger.Instance);
        return (processor, life is null ? processor.RunAsync(stop) : life.Run(() => processor.RunAsync(stop)));
    }

    public Task SendSchema(GatewayId gateway) =>
        Send(gateway, StreamKind.Live, Samples.Bytes(w => Samples.Schema().Write(w, Lane.Live)));

    /// <summary>
    /// Sends a frame of readings of one series at these times; it may promise that nothing older follows.
    /// </summary>
    public Task SendFrame(GatewayId gateway, Lane lane, IEnumerable<long> times, long? promised = null)
    {
        var batch = new ReadingBatch();
        foreach (var time in times)
        {
            batch.Add(1, time, (ulong)batch.Count);
        }

        var order = new int[batch.Count];
        batch.Order(order);
        var key = new FrameKey(9, lane, 1 + _sealed.GetValueOrDefault((gateway, lane)), batch.Count);
        _sealed[(gateway, lane)] = key.Last;
        var header = new FrameHeader
        {
            Kind = FrameKind.Readings,
            Key = key,
            Schema = Samples.Schema().Id,
            Promise = promised is { } w ? new Promise(w, [new EpochLasts(9, Lasts(gateway))], 0) : null,
        };
        return Send(
            gateway, lane == Lane.Backlog ? StreamKind.Backlog : StreamKind.Live,
            Samples.Bytes(w => FrameWriter.Write(w, header, [], batch, order, Samples.Series().Types)));
    }

    /// <summary>The parts of each window hold the readings that are stored of it.</summary>
    public void AssertWhole()
    {
        var content = Store.Content;
        var readings = SimulatedDatabase.All(content.Readings)
            .GroupBy(r => (content.Series[r.Series].Series, WindowSpan.Of(r.Time, WindowWidths.DefaultSeconds).Start))
            .ToDictionary(w => w.Key, w => (w.Count(), w.Aggregate(0UL, (sum, r) => unchecked(sum + r.Hash))));
        Assert.Equal(
            readings.OrderBy(w => w.Key),
            content.Parts
                .ToDictionary(w => w.Key, w => (w.Value.Sum(p => p.Count), HashSum(w.Value)))
                .OrderBy(w => w.Key));
    }

    private static ulong HashSum(IEnumerable<WindowPart> parts) =>
        parts.Aggregate(0UL, (sum, p) => unchecked(sum + p.HashSum));

    private LaneLasts Lasts(GatewayId gateway) => new(
        _sealed.GetValueOrDefault((gateway, Lane.Critical)), _sealed.GetValueOrDefault((gateway, Lane.Live)),
        _sealed.GetValueOrDefault((gateway, Lane.Backlog)));

    private GatewayId GatewayOf(int partition) => Enumerable.Range(0, 100)
        .Select(number => GatewayId.Parse($"gw-{number}")).First(g => g.Partition(_partitions) == partition);

    private async Task Send(GatewayId gateway, StreamKind stream, byte[] message)
    {
        var delivered = Samples.Bytes(w =>
        {
            new FrameEnvelope(NowMicros, new Attempt(7, ++_attempts)).Write(w);
            w.Bytes(message);
        });
        await _log.AppendAsync(
            gateway.Partition(_partitions), stream, gateway, $"message {_attempts}", delivered, default);
    }
}
