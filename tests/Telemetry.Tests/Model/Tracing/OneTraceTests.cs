using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink;
using Telemetry.Ingress;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Processing;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Processing.Alerts;

namespace Telemetry.Tests.Model.Tracing;

/// <summary>
/// A real agent's outbox and uplink, ingress and processor on simulated servers: what one frame's trace shows.
/// </summary>
public sealed class OneTraceTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Disk = TimeSpan.FromMilliseconds(7), Database = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(300);

    [Fact]
    public void Steps_of_a_frame_stand_in_one_trace_under_the_parent_that_its_key_gives()
    {
        var gateway = GatewayId.Parse("gw-one-trace");

        var spans = Trace(gateway, critical: false, 1, 2, 3);

        Assert.Equal(["commit frame", "send frame", "append frame", "store frame"], InOrder(spans));
        var frame = Assert.Single(spans.Select(s => s.GetTagItem(FrameSpans.FrameTag)).Distinct());
        var expected = FrameTrace.Of(gateway, KeyOf((string)frame!)).Parent;
        Assert.All(spans, s => Assert.Equal((expected.TraceId, expected.SpanId), (s.TraceId, s.ParentSpanId)));
        Assert.Equal(4, spans.Select(s => s.SpanId).Distinct().Count());
        Assert.All(spans, s => Assert.Equal(ActivityStatusCode.Unset, s.Status));
    }

    [Fact]
    public void Times_are_those_of_the_injected_clock()
    {
        var spans = Trace(GatewayId.Parse("gw-times"), critical: false, 1, 2, 3);

        var (commit, send, append, store) = (spans[0], spans[1], spans[2], spans[3]);
        // From the first reading that waited to durable: the deadline of its offer, and the disk.
        Assert.Equal(Deadline + Disk, commit.Duration);
        // Not at once: its schema goes before it.
        Assert.True(send.StartTimeUtc > commit.StartTimeUtc + commit.Duration, "sent before it was durable");
        Assert.InRange(append.StartTimeUtc, send.StartTimeUtc, send.StartTimeUtc + send.Duration);
        Assert.True(store.StartTimeUtc >= append.StartTimeUtc, "stored before it stood in the log");
        Assert.True(store.Duration >= Database, $"{store.Duration} is less than the database takes");
    }

    [Fact]
    public void Frame_that_raises_alerts_shows_it_within_its_storing()
    {
        var gateway = GatewayId.Parse("gw-alerts-traced");

        var spans = Trace(gateway, critical: true, 1, 11, 12, 5);

        var evaluation = Assert.Single(spans, s => s.OperationName == "evaluate alerts");
        var store = Assert.Single(spans, s => s.OperationName == "store frame");
        Assert.Equal((store.TraceId, store.SpanId), (evaluation.TraceId, evaluation.ParentSpanId));
        Assert.Equal(2, evaluation.GetTagItem("telemetry.alerts.transitions"));
        Assert.Equal("critical", evaluation.GetTagItem(FrameSpans.LaneTag));
        Assert.True(evaluation.StartTimeUtc + evaluation.Duration <= store.StartTimeUtc + store.Duration);
    }

    [Fact]
    public void Same_run_gives_the_same_trace_but_for_the_spans_own_ids()
    {
        var gateway = GatewayId.Parse("gw-again");

        Assert.Equal(Facts(Trace(gateway, critical: false, 1, 2)), Facts(Trace(gateway, critical: false, 1, 2)));

        static string[] Facts(IEnumerable<Activity> spans) =>
            [.. spans.Select(s => $"{s.OperationName} {s.TraceId} {s.ParentSpanId} {s.StartTimeUtc:O} {s.Duration}")];
    }

    /// <summary>Offers one batch and lets it be stored; gives the spans that came of it, by their beginning.</summary>
    private static List<Activity> Trace(GatewayId gateway, bool critical, params double[] values)
    {
        using var recorder = new SpanRecorder("Telemetry.Edge", "Telemetry.Cloud");
        var pump = new Pump();
        pump.Run(() => StoreAsync(pump, gateway, critical, values));
        return [.. recorder.Of(
            gateway).OrderBy(s => s.StartTimeUtc).ThenBy(s => Array.IndexOf(Steps, s.OperationName))];
    }

    private static readonly string[] Steps =
        ["commit frame", "send frame", "append frame", "store frame", "evaluate alerts"];

    private static async Task StoreAsync(Pump pump, GatewayId gateway, bool critical, double[] values)
    {
        var log = new SimulatedFrameLog(pump, new Random(1));
        var control = new SimulatedControlChannel(pump, new Random(2));
        var store = new SimulatedStore(pump, new Random(3));
        (store.Calls.LatencyMin, store.Calls.LatencyMax) = (Database, Database);
        await log.EnsureStreamsAsync(0, default);
        var options = SampleRules.With(SampleRules.Hot()) with { Partitions = 1, Owner = "test" };
        using var stop = new CancellationTokenSource();
        var processing = new Processor(store, log, control, options, pump.Clock, new Random(4), NullLogger.Instance)
            .RunAsync(stop.Token);
        var link = new SimulatedLink(pump, new Random(5), gateway, () => [Ingress(pump, log, control)]);
        var disk = new SimulatedOutboxDisk(
            new Random(6))
        { BeforeDurable = async () => await Task.Delay(Disk, pump.Clock) };
        await using var outbox = await ReadingOutbox.OpenAsync(
            disk.Open(), gateway, new OutboxOptions(), pump.Clock, new Random(7), default);
        var uplink = new UplinkLoop(
            outbox, gateway, link, new UplinkOptions(), pump.Clock, new Random(8), NullLogger.Instance);
        var sending = uplink.RunAsync(stop.Token);
        await Task.Delay(LongEnough, pump.Clock);

        var batch = new ReadingBatch();
        var series = outbox.SeriesIndex(new SeriesDefinition { Device = "pump", Metric = "temperature" });
        var now = (pump.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(series, now + i, values[i]);
        }

        Assert.True((await outbox.OfferAsync(batch, Deadline, critical, default)).IsAccepted);
        await Task.Delay(LongEnough, pump.Clock);
        Assert.Empty(outbox.Held);
        stop.Cancel();
        await sending;
        await processing;
    }

    private static SimulatedIngress Ingress(Pump pump, SimulatedFrameLog log, SimulatedControlChannel control)
    {
        var core = new IngressCore(
            log, control, new IngressOptions { Partitions = 1 }, pump.Clock, new IngressCounters());
        return new SimulatedIngress(
            new ProcessLife(pump),
            async (gateway, topic, payload, cancellationToken) =>
            {
                var verdict = await core.PublishedAsync(gateway, topic, payload, cancellationToken);
                return new PublishOutcome(verdict.ReasonCode, verdict.ReceiptProperty, verdict.Reason);
            },
            async (gateway, send, cancellationToken) => await core.OpenSessionAsync(gateway, send, cancellationToken));
    }

    private static string[] InOrder(IEnumerable<Activity> spans) => [.. spans.Select(s => s.OperationName)];

    /// <summary>The key in <c>gateway/epoch/lane/first+count</c>.</summary>
    private static FrameKey KeyOf(string frame)
    {
        var parts = frame.Split('/', '+');
        Assert.True(Lanes.TryParse(parts[2], out var lane));
        return new FrameKey(Convert.ToUInt64(parts[1], 16), lane, long.Parse(parts[3]), int.Parse(parts[4]));
    }
}
