using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Edge.Outbox;

/// <summary>An outbox on a simulated disk and clock, and the short words in which the tests speak of it.</summary>
internal sealed class OutboxRig
{
    public static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly Pump _pump = new();
    private readonly Random _random = new(1);

    private OutboxRig() => Disk = new SimulatedOutboxDisk(_random);

    public SimulatedOutboxDisk Disk { get; }

    public SimulatedClock Clock => _pump.Clock;

    public OutboxOptions Options { get; set; } = new() { IdleCommitInterval = TimeSpan.FromHours(1) };

    public ReadingOutbox Outbox { get; private set; } = null!;

    public List<HeldFrame> Sealed { get; } = [];

    /// <summary>The simulated clock in microseconds since 1970.</summary>
    public long Now => (Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static void Run(Func<OutboxRig, Task> test, OutboxOptions? options = null)
    {
        var rig = new OutboxRig();
        rig.Options = options ?? rig.Options;
        rig._pump.Run(async () =>
        {
            await rig.OpenAsync();
            await test(rig);
        });
    }

    /// <summary>Opens the file as a new process does; the one before is gone without a goodbye.</summary>
    public async Task OpenAsync()
    {
        Outbox = await ReadingOutbox.OpenAsync(Disk.Open(), Gateway, Options, Clock, _random, CancellationToken.None);
        Outbox.Sealed += Sealed.Add;
        Sealed.Clear();
    }

    public int Series(string metric = "temperature", MetricType type = MetricType.Float) =>
        Outbox.SeriesIndex(new SeriesDefinition { Device = "pump-1", Metric = metric, Type = type });

    /// <summary>A batch of readings of one series, a microsecond apart.</summary>
    public ReadingBatch Batch(int count = 1, int series = 0, long? firstTime = null)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < count; i++)
        {
            batch.Add(series, (firstTime ?? Now) + i, (double)i);
        }

        return batch;
    }

    public Task<OfferOutcome> Offer(ReadingBatch batch, TimeSpan? deadline = null, bool critical = false) =>
        Outbox.OfferAsync(batch, deadline ?? TimeSpan.Zero, critical, CancellationToken.None).AsTask();

    /// <summary>Makes so many readings of one series durable.</summary>
    public async Task AcceptAsync(int count = 1, int series = 0, long? firstTime = null, bool critical = false)
    {
        while (Outbox.Series.Count <= series)
        {
            Series($"m{Outbox.Series.Count}");
        }

        var outcome = await Offer(Batch(count, series, firstTime), critical: critical);
        Assert.True(outcome.IsAccepted, outcome.Reason);
    }

    public Task<int> SealAsync(int framesMax = 16, int readingsMax = 8192, int bytesMax = 65_536) =>
        Outbox.SealBacklogAsync(framesMax, readingsMax, bytesMax, CancellationToken.None).AsTask();

    public Task After(TimeSpan time) => Task.Delay(time, Clock);

    public async Task<(FrameHeader Header, ReadingBatch Readings, List<Declaration> Declarations)> ReadAsync(
        HeldFrame frame)
    {
        var bytes = await Outbox.ReadAsync(frame, CancellationToken.None);
        Assert.NotNull(bytes);
        Assert.Equal(frame.Checksum, FrameHeader.Checksum(bytes.Value.Span));
        var readings = new ReadingBatch();
        var declarations = new List<Declaration>();
        var header = FrameReader.Read(bytes.Value.Span, Outbox.Series.Types, readings, declarations);
        return (header, readings, declarations);
    }

    public async Task<FrameHeader> HeaderAsync(HeldFrame frame) => (await ReadAsync(frame)).Header;
}
