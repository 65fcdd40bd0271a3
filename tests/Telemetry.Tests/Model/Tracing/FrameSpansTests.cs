using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.Model.Tracing;

public sealed class FrameSpansTests
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-spans");
    private static readonly FrameKey Key = new(9, Lane.Critical, 5, 3);
    private static readonly DateTimeOffset Then = new(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);

    [Fact]
    public void Nothing_is_made_or_allocated_while_nobody_listens()
    {
        var spans = new FrameSpans("Telemetry.Tests.Silent");

        Assert.Equal(0, AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                Assert.Null(Begin(spans));
            }
        }));
        Assert.False(spans.Wanted);
    }

    [Fact]
    public void Span_has_the_ids_of_its_frames_key_and_the_callers_times()
    {
        using var recorder = new SpanRecorder("Telemetry.Tests.Heard");
        var span = Begin(new FrameSpans("Telemetry.Tests.Heard"))!;

        FrameSpans.End(span, Then.AddSeconds(2));

        Assert.Same(span, Assert.Single(recorder.Of(Gateway)));
        var trace = FrameTrace.Of(Gateway, Key).TraceParent;
        Assert.StartsWith($"00-{span.TraceId}-{span.ParentSpanId}-", trace, StringComparison.Ordinal);
        Assert.NotEqual(span.ParentSpanId, span.SpanId);
        Assert.Equal((Then.UtcDateTime, TimeSpan.FromSeconds(2)), (span.StartTimeUtc, span.Duration));
        Assert.Equal(
            ("gw-spans/0000000000000009/critical/5+3", "critical"), (span.GetTagItem(FrameSpans.FrameTag),
                span.GetTagItem(FrameSpans.LaneTag)));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Fact]
    public void Error_is_said_and_the_spans_around_it_are_left_alone()
    {
        using var recorder = new SpanRecorder("Telemetry.Tests.Failed");
        using var around = new Activity("around").Start();

        FrameSpans.End(Begin(new FrameSpans("Telemetry.Tests.Failed"))!, Then, "the log is full");

        var span = Assert.Single(recorder.Of(Gateway));
        Assert.Equal((ActivityStatusCode.Error, "the log is full"), (span.Status, span.StatusDescription));
        Assert.Same(around, Activity.Current);
        Assert.NotEqual(around.TraceId, span.TraceId);
    }

    [Theory]
    [InlineData(ActivitySamplingResult.None)]
    [InlineData(ActivitySamplingResult.PropagationData)]
    public void Trace_that_was_not_chosen_gets_no_span(ActivitySamplingResult sampling)
    {
        using var recorder = new SpanRecorder(sampling, "Telemetry.Tests.Unchosen");

        Assert.Null(Begin(new FrameSpans("Telemetry.Tests.Unchosen")));

        Assert.Null(Activity.Current);
        Assert.Empty(recorder.Of(Gateway));
    }

    private static Activity? Begin(FrameSpans spans) => spans.Begin("step", ActivityKind.Internal, Gateway, Key, Then);
}
