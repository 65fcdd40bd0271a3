using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing;
using Telemetry.Storage;
using Telemetry.TestKit.Messages;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Xunit.Abstractions;

namespace Telemetry.Tests.Processing;

/// <summary>
/// G10 in the cloud: a thousand gateways returned, and their backlogs stand in the log, while twenty others send live
/// frames. The database stores 100,000 readings a second, of which 30,000 are live ones: more than fit if the backlog
/// came first, or if live frames had a tenth of each transaction.
/// </summary>
public sealed class ReturningFleetTests(ITestOutputHelper output)
{
    private const int Partitions = 4, Returning = 1_000, Steady = 20;
    private const int BacklogFrames = 2, BacklogReadings = 250, LiveReadings = 1_500, LiveSeconds = 8;
    private const double BehindMaxSeconds = 2;

    private static readonly TimeSpan ReadingTakes = TimeSpan.FromMicroseconds(10);
    private static readonly TimeSpan CommitTakes = TimeSpan.FromMilliseconds(10);

    private readonly Pump _pump = new();
    private readonly Dictionary<(GatewayId, long First), long> _sentAt = [];
    private readonly List<double> _behind = [];
    private long _backlogEnd, _began;
    private int _attempt;

    [Fact]
    public void Live_readings_of_others_are_never_two_seconds_behind()
    {
        var log = new SimulatedFrameLog(_pump, new Random(1)) { ReadsAhead = true };
        var store = new SimulatedStore(_pump, new Random(2));
        store.Works = commit => CommitTakes + (ReadingTakes * commit.Readings.Count);
        store.Committed = (commit, _, _) => Judge(commit);
        var processor = new Processor(
            store, log, new SimulatedControlChannel(_pump, new Random(3)),
            new ProcessorOptions { Partitions = Partitions }, _pump.Clock, new Random(4), NullLogger.Instance);

        _pump.Run(async () =>
        {
            for (var partition = 0; partition < Partitions; partition++)
            {
                await log.EnsureStreamsAsync(partition, default);
            }

            await Task.WhenAll(
                Enumerable.Range(0, Returning).Select(i => ReturnAsync(log, GatewayId.Parse($"back-{i}"))));
            using var stop = new CancellationTokenSource();
            _began = _pump.Clock.GetTimestamp();
            var running = processor.RunAsync(stop.Token);
            await Task.WhenAll(
                Enumerable.Range(0, Steady).Select(i => LiveAsync(log, GatewayId.Parse($"steady-{i}"))));
            await Task.Delay(TimeSpan.FromSeconds(30), _pump.Clock);
            stop.Cancel();
            await running;
        });

        var drained = _pump.Clock.GetElapsedTime(_began, _backlogEnd).TotalSeconds;
        output.WriteLine(
            $"backlogs stored in {drained:0.0} s, {_behind.Count} live frames, worst {_behind.Max():0.00} s behind");
        Assert.Equal(Steady * LiveSeconds, _behind.Count);
        Assert.True(drained > 5, $"the backlogs took {drained} s only: nothing had to wait");
        Assert.InRange(_behind.Max(), 0, BehindMaxSeconds);
        Assert.Equal(
            (Returning * BacklogFrames * BacklogReadings) + (Steady * LiveSeconds * LiveReadings),
            store.Content.Gateways.Values.Sum(g => g.Stored));
    }

    private async Task ReturnAsync(SimulatedFrameLog log, GatewayId gateway)
    {
        await SendAsync(log, StreamKind.Backlog, gateway, SampleMessages.Schema(Lane.Backlog));
        for (var frame = 0; frame < BacklogFrames; frame++)
        {
            await SendAsync(
                log, StreamKind.Backlog, gateway, SampleMessages.Frame(
                    Lane.Backlog, 1 + (frame * BacklogReadings), ++_attempt, BacklogReadings,
                    SampleMessages.SchemaOfSample));
        }
    }

    private async Task LiveAsync(SimulatedFrameLog log, GatewayId gateway)
    {
        for (var second = 0; second < LiveSeconds; second++)
        {
            await SendLiveAsync(log, gateway, 1 + (second * LiveReadings));
            await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);
        }
    }

    private async Task SendLiveAsync(SimulatedFrameLog log, GatewayId gateway, long first)
    {
        if (first == 1)
        {
            await SendAsync(log, StreamKind.Live, gateway, SampleMessages.Schema());
        }

        _sentAt[(gateway, first)] = _pump.Clock.GetTimestamp();
        await SendAsync(
            log, StreamKind.Live, gateway, SampleMessages.Frame(
                Lane.Live, first, ++_attempt, LiveReadings, SampleMessages.SchemaOfSample));
    }

    private async Task SendAsync(SimulatedFrameLog log, StreamKind stream, GatewayId gateway, byte[] message) =>
        await log.AppendAsync(
            gateway.Partition(Partitions), stream, gateway, $"{gateway} {stream} {++_attempt}", message, default);

    private void Judge(StoreCommit commit)
    {
        foreach (var frame in commit.Frames)
        {
            if (frame.Key.Lane == Lane.Live)
            {
                _behind.Add(_pump.Clock.GetElapsedTime(_sentAt[(frame.Gateway, frame.Key.First)]).TotalSeconds);
            }
            else
            {
                _backlogEnd = _pump.Clock.GetTimestamp();
            }
        }
    }
}
