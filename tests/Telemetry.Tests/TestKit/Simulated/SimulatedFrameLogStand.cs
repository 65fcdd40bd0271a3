using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

/// <summary>The simulated log under the contract of all logs.</summary>
internal sealed class SimulatedFrameLogStand : FrameLogStand
{
    private const int Partition = 3;
    private readonly SimulatedFrameLog _log;

    private SimulatedFrameLogStand(Pump pump, FrameLogStandOptions options)
    {
        _log = new SimulatedFrameLog(pump, new Random(1))
        {
            LiveBytesMax = options.LiveBytesMax,
            DuplicateWindow = options.DuplicateWindow,
        };
        Time = pump.Clock;
    }

    public override IFrameLog Log => _log;

    public override TimeProvider Time { get; }

    public override IFrameLog As(InstallationFacts facts) => _log.As(facts);

    public override Task ForgetInstallationAsync()
    {
        _log.Tell(null);
        return Task.CompletedTask;
    }

    /// <summary>Runs a test on a pump of its own.</summary>
    public static Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test, bool makeStreams = true)
    {
        var pump = new Pump();
        pump.Run(async () =>
        {
            await using var stand = new SimulatedFrameLogStand(pump, options);
            if (makeStreams)
            {
                await stand.Log.EnsureStreamsAsync(Partition, default);
            }

            await test(stand);
        });
        return Task.CompletedTask;
    }

    public override Task WipeAsync(int partition)
    {
        _log.Delete(partition, StreamKind.Live);
        _log.Delete(partition, StreamKind.Backlog);
        return Task.CompletedTask;
    }

    public override Task BreakLinkAsync()
    {
        _log.Disconnect();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
