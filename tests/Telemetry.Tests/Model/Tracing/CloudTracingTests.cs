using System.Diagnostics;
using Telemetry.Alerting.Relay;
using Telemetry.Ingress;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Model.Tracing;

public sealed class CloudTracingTests
{
    private static readonly FrameKey Key = new(9, Lane.Live, 1, 4);

    [Fact]
    public void Published_alert_ends_the_trace_of_the_frame_that_caused_it()
    {
        var gateway = GatewayId.Parse("gw-published");
        using var recorder = new SpanRecorder(FrameSpans.CloudSource);
        var clock = new SimulatedClock();

        RelayTracing.Published([Row(Alert(gateway).ToJson())], "alerts", clock.GetTimestamp(), clock);

        var span = Assert.Single(recorder.Of(gateway));
        var parent = FrameTrace.Of(gateway, Key).Parent;
        Assert.Equal(("publish alert", ActivityKind.Producer), (span.OperationName, span.Kind));
        Assert.Equal((parent.TraceId, parent.SpanId), (span.TraceId, span.ParentSpanId));
        Assert.Equal(("kafka", "alerts", "id-1"), (
            span.GetTagItem("messaging.system"), span.GetTagItem("messaging.destination.name"),
            span.GetTagItem("messaging.message.id")));
        Assert.Equal($"{gateway}/{Key}", span.GetTagItem(FrameSpans.FrameTag));
    }

    [Fact]
    public void Alert_whose_trace_context_cannot_be_read_gets_no_span()
    {
        var gateway = GatewayId.Parse("gw-unreadable");
        using var recorder = new SpanRecorder(FrameSpans.CloudSource);

        RelayTracing.Published(
            [Row("nonsense"u8.ToArray()), Row((Alert(gateway) with { TraceParent = "00-xyz" }).ToJson())], "alerts", 0,
            new SimulatedClock());

        Assert.Empty(recorder.Of(gateway));
    }

    [Fact]
    public void Append_that_the_full_log_refused_is_an_error()
    {
        using var recorder = new SpanRecorder(FrameSpans.CloudSource);
        var clock = new SimulatedClock();
        var gateway = GatewayId.Parse("gw-refused");

        IngressTracing.Appended(
            gateway, Key, "LIVE_3", 77, 0, "the stream is full", clock.GetTimestamp(), clock);

        var span = Assert.Single(recorder.Of(gateway));
        Assert.Equal((ActivityStatusCode.Error, "the stream is full"), (span.Status, span.StatusDescription));
        Assert.Equal("LIVE_3", span.GetTagItem("messaging.destination.name"));
        Assert.Null(span.GetTagItem("telemetry.log.sequence"));
    }

    private static AlertOutboxRow Row(byte[] json) => new(0, AlertHead.None.Next(json), "id-1", json);

    private static AlertTransition Alert(GatewayId gateway) => new()
    {
        Id = "id-1",
        Instance = "instance",
        Rule = "hot",
        RuleVersion = "1",
        Kind = AlertKind.Firing,
        Severity = "critical",
        Gateway = gateway.Value,
        Device = "pump",
        Metric = "temperature",
        SeriesKey = "0",
        TimeMicros = 1,
        StartedMicros = 1,
        Value = 11,
        Threshold = 10,
        Frame = $"{gateway}/{Key}",
        TraceParent = FrameTrace.Of(gateway, Key).TraceParent,
    };
}
