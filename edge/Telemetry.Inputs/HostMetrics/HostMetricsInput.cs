using Telemetry.Edge.Outbox;
using Telemetry.Inputs.Senders;

namespace Telemetry.Inputs.HostMetrics;


/// <summary>
/// Measures the gateway's own machine: processors, memory, disks, network, temperatures, from /proc and /sys. What the
/// machine lacks is an absent series. Runs on the agent's loop.
/// </summary>
public sealed class HostMetricsInput : IInput
{
    private readonly HostMetricsOptions _options;
    private readonly TimeProvider _time;
    private readonly OutboxWriter _sender;
    private readonly HostSample _sample;
    private readonly IHostSource[] _sources;

    public HostMetricsInput(HostMetricsOptions options, SenderJournal? journal, TimeProvider time)
    {
        _options = options;
        _time = time;
        _sender = new OutboxWriter(journal);
        _sample = new HostSample(options.Device);
        _sources =
        [
            new ProcessorSource(options.Root),
            new LoadSource(options.Root),
            new MemorySource(options.Root),
            new DiskSource(options.Root),
            new FilesystemSource(options.Root),
            new NetworkSource(options.Root),
            new TemperatureSource(options.Root),
        ];
    }

    public string Name => "hostMetrics";

    public long Acknowledged => _sender.Acknowledged;

    public long Refused => _sender.Refused;

    public async Task RunAsync(ReadingOutbox outbox, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await MeasureAsync(outbox);
                await Task.Delay(_options.Interval, _time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped between two measurements: nothing is under way.
            return;
        }
    }

    public void Dispose()
    {
        foreach (var source in _sources)
        {
            source.Dispose();
        }
    }

    private async Task MeasureAsync(ReadingOutbox outbox)
    {
        var now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        _sample.Begin(outbox, now);
        foreach (var source in _sources)
        {
            source.Measure(_sample);
        }

        await _sender.OfferAsync(outbox, _sample.Batch, _options.CommitDeadline, critical: false);
    }
}
