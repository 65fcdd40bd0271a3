using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Processing;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Windows;

/// <summary>
/// Real processors, one after the other, over a simulated log, control channel and database. Used on the pump's thread.
/// </summary>
internal sealed class WindowStand
{
    private readonly Pump _pump;
    private readonly Random _random;
    private readonly ProcessorOptions _options;
    private readonly SimulatedFrameLog _log;
    private readonly SimulatedControlChannel _control;
    private ProcessLife? _life;
    private CancellationTokenSource? _stop;
    private Task? _running;
    private int _attempts, _processes;

    public WindowStand(Pump pump, Random random, ProcessorOptions options)
    {
        (_pump, _random) = (pump, random);
        _options = options with
        {
            Partitions = 1,
            RenewEvery = TimeSpan.FromSeconds(2),
            Lease = TimeSpan.FromSeconds(5),
        };
        Store = new SimulatedStore(pump, new Random(random.Next()));
        _log = new SimulatedFrameLog(pump, new Random(random.Next()));
        _control = new SimulatedControlChannel(pump, new Random(random.Next()));
    }

    public SimulatedStore Store { get; }

    public long NowMicros => (_pump.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public Task WaitAsync(TimeSpan time) => Task.Delay(time, _pump.Clock);

    /// <summary>Starts the first processor, or another one after the present one was killed or stopped.</summary>
    public async Task StartAsync()
    {
        if (_processes == 0)
        {
            await _log.EnsureStreamsAsync(0, CancellationToken.None);
        }

        var (life, stop) = (new ProcessLife(_pump), new CancellationTokenSource());
        var processor = new Processor(
            Store, _log, _control, _options with { Owner = $"process {++_processes}" }, life.Time,
            new Random(_random.Next()), NullLogger.Instance);
        (_life, _stop, _running) = (life, stop, life.Run(() => processor.RunAsync(stop.Token)));
    }

    /// <summary>The processor is killed, or stops cleanly.</summary>
    public async Task EndAsync(bool killed)
    {
        if (killed)
        {
            _life!.Kill();
        }
        else
        {
            _stop!.Cancel();
            await _running!;
        }
    }

    /// <summary>Throws what ended the processor, if anything did.</summary>
    public async Task LookAsync()
    {
        if (_running!.IsCompleted)
        {
            await _running;
        }
    }

    public async Task SendAsync(GatewayId gateway, Lane lane, byte[] message)
    {
        var attempt = new Attempt(7, ++_attempts);
        var delivered = Samples.Bytes(w =>
        {
            new FrameEnvelope(NowMicros, attempt).Write(w);
            w.Bytes(message);
        });
        await _log.AppendAsync(
            0, lane == Lane.Backlog ? StreamKind.Backlog : StreamKind.Live, gateway, $"message {_attempts}", delivered,
            CancellationToken.None);
    }

    public async Task SayAsync(GatewayId gateway, Hello hello) =>
        await _control.SayHelloAsync(0, gateway, Samples.Bytes(hello.Write), CancellationToken.None);

    /// <summary>The epochs that the cloud calls complete.</summary>
    public IReadOnlyList<EpochLasts> CompleteEpochs(GatewayId gateway) =>
    [
        .. Store.Content.Epochs.Values.Where(e => e.Gateway == gateway && e.Complete)
            .Select(e => new EpochLasts(e.Epoch, e.Lasts)),
    ];
}
