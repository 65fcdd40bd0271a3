using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Processing;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Partitions;

/// <summary>Parts of windows in memory, when a processor stops or lets a partition go.</summary>
public sealed class WindowHandoverTests
{
    private const int Partitions = 2, Readings = 3;
    private static readonly TimeSpan HandoverMax = TimeSpan.FromSeconds(1);

    private readonly Pump _pump = new();
    private readonly SimulatedStore _store;
    private readonly SimulatedFrameLog _log;
    private readonly SimulatedControlChannel _bus;
    private readonly GatewayId[] _gateways = [.. Enumerable.Range(0, Partitions).Select(GatewayOf)];
    private int _attempts;

    public WindowHandoverTests()
    {
        _store = new SimulatedStore(_pump, new Random(1));
        (_log, _bus) = (new SimulatedFrameLog(_pump, new Random(2)), new SimulatedControlChannel(_pump, new Random(3)));
    }

    [Fact]
    public void Clean_stop_writes_the_parts_within_a_second_and_the_next_owner_folds_nothing_anew() => _pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (_, runningA) = await Start("a", first.Token);
        await SendAll(1);
        Assert.Equal((0, Partitions), (InParts(), Open()));

        var asked = _pump.Clock.GetUtcNow();
        first.Cancel();
        await runningA;

        Assert.True(_pump.Clock.GetUtcNow() - asked < HandoverMax);
        Assert.Equal((Readings * Partitions, 0), (InParts(), Open()));
        var (b, runningB) = await Start("b", second.Token);
        await SendAll(2);
        second.Cancel();
        await runningB;
        Assert.Equal((0, 0), (b.Counters.Windows.Rebuilt, b.Counters.NotOwner));
        Assert.Equal(2 * Readings * Partitions, InParts());
    });

    [Fact]
    public void Partition_that_is_let_go_has_its_parts_written_before() => _pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (a, runningA) = await Start("a", first.Token);
        await SendAll(1);
        Assert.Equal((0, Partitions), (InParts(), Open()));
        Assert.Equal(Partitions, a.Counters.Windows.Open);

        var (b, runningB) = await Start("b", second.Token);
        await Pass(30);

        Assert.Equal((1, 1), (a.Counters.Partitions, b.Counters.Partitions));
        Assert.Equal((Readings, 1), (InParts(), Open()));
        Assert.Equal(1, a.Counters.Windows.Open);
        Assert.Equal((0, 0), (b.Counters.Windows.Rebuilt, a.Counters.NotOwner + b.Counters.NotOwner));
        first.Cancel();
        second.Cancel();
        await runningA;
        await runningB;
    });

    [Fact]
    public void Stop_whose_last_transaction_fails_leaves_the_windows_to_the_next_owner() => _pump.Run(async () =>
    {
        using CancellationTokenSource first = new(), second = new();
        var (_, runningA) = await Start("a", first.Token);
        await SendAll(1);
        _store.Calls.LosesRequest = call => call == "commit";
        first.Cancel();
        await runningA;
        Assert.Equal((0, Partitions), (InParts(), Open()));

        _store.Calls.LosesRequest = _ => false;
        var (b, runningB) = await Start("b", second.Token);
        await Pass(5);
        second.Cancel();
        await runningB;

        Assert.Equal(Partitions, b.Counters.Windows.Rebuilt);
        Assert.Equal((Readings * Partitions, 0), (InParts(), Open()));
    });

    [Fact]
    public void Frozen_database_delays_a_stop_by_less_than_a_second() => _pump.Run(async () =>
    {
        using CancellationTokenSource first = new();
        var (_, runningA) = await Start("a", first.Token);
        await SendAll(1);
        _store.Freezes = _ => true;
        var asked = _pump.Clock.GetUtcNow();

        first.Cancel();
        await runningA;

        Assert.True(_pump.Clock.GetUtcNow() - asked < HandoverMax);
        Assert.Equal((0, Partitions), (InParts(), Open()));
    });

    private static GatewayId GatewayOf(int partition) => Enumerable.Range(0, 100)
        .Select(number => GatewayId.Parse($"gw-{number}")).First(g => g.Partition(Partitions) == partition);

    // The readings that have parts in the database, and the gateways whose row says that others have none.
    private int InParts() => _store.Content.Parts.Values.Sum(parts => parts.Sum(p => p.Count));

    private int Open() => _store.Content.Gateways.Values.Count(g => !g.OpenWindows.IsEmpty);

    private async Task<(Processor Processor, Task Running)> Start(string owner, CancellationToken stop)
    {
        for (var partition = 0; partition < Partitions; partition++)
        {
            await _log.EnsureStreamsAsync(partition, CancellationToken.None);
        }

        var processor = new Processor(
            _store, _log, _bus, new ProcessorOptions { Partitions = Partitions, Owner = owner }, _pump.Clock,
            new Random(owner[0]), NullLogger.Instance);
        return (processor, processor.RunAsync(stop));
    }

    /// <summary>Sends the schema and a frame of each gateway, and waits until they are stored.</summary>
    private async Task SendAll(int number)
    {
        foreach (var gateway in _gateways)
        {
            await Send(gateway, Samples.Bytes(w => Samples.Schema().Write(w, Lane.Live)));
            await Send(gateway, Frame(1 + ((number - 1) * Readings)));
        }

        await Pass(5);
        Assert.Equal(number * Readings * Partitions, _store.Content.Gateways.Values.Sum(g => g.Stored));
    }

    private byte[] Frame(long first)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < Readings; i++)
        {
            batch.Add(0, NowMicros() - i, 1.0);
        }

        var order = new int[batch.Count];
        batch.Order(order);
        var header = new FrameHeader
        {
            Kind = FrameKind.Readings,
            Key = new FrameKey(9, Lane.Live, first, Readings),
            Schema = Samples.Schema().Id,
        };
        return Samples.Bytes(w => FrameWriter.Write(w, header, [], batch, order, Samples.Series().Types));
    }

    private async Task Send(GatewayId gateway, byte[] message)
    {
        var delivered = Samples.Bytes(w =>
        {
            new FrameEnvelope(NowMicros(), new Attempt(7, ++_attempts)).Write(w);
            w.Bytes(message);
        });
        await _log.AppendAsync(
            gateway.Partition(Partitions), StreamKind.Live, gateway, $"message {_attempts}", delivered, default);
    }

    private long NowMicros() =>
        (_pump.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private Task Pass(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), _pump.Clock);
}
