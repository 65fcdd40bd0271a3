using Telemetry.Model.Identity;
using Telemetry.Model.Tracing;

namespace Telemetry.Tests.Model.Tracing;

public sealed class FrameTraceTests
{
    private static readonly FrameKey Key = new(ulong.MaxValue, Lane.Backlog, 17, 3);

    [Fact]
    public void Trace_parent_is_well_formed_and_always_the_same()
    {
        var trace = FrameTrace.Of(Samples.Gateway, Key);

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", trace.TraceParent);
        Assert.Equal("00-7df5a52edd7cc660fed1bb0942a73939-457c327e74dbaa6c-01", trace.TraceParent);
        Assert.Equal(trace, FrameTrace.Of(GatewayId.Parse("gw-1"), Key with { }));
    }

    [Fact]
    public void Bytes_are_those_of_the_hex()
    {
        var trace = FrameTrace.Of(Samples.Gateway, Key);
        Span<byte> bytes = stackalloc byte[24];
        trace.WriteTraceId(bytes);
        trace.WriteSpanId(bytes[16..]);

        Assert.Equal(
            trace.TraceParent.Replace("-", "", StringComparison.Ordinal)[2..^2], Convert.ToHexStringLower(bytes));
    }

    [Fact]
    public void Every_part_of_the_key_makes_another_trace()
    {
        FrameTrace[] traces =
        [
            FrameTrace.Of(Samples.Gateway, Key),
            FrameTrace.Of(GatewayId.Parse("gw-2"), Key),
            FrameTrace.Of(Samples.Gateway, Key with { Epoch = 1 }),
            FrameTrace.Of(Samples.Gateway, Key with { Lane = Lane.Live }),
            FrameTrace.Of(Samples.Gateway, Key with { First = 18 }),
            FrameTrace.Of(Samples.Gateway, Key with { Count = 4 }),
        ];

        Assert.Equal(traces.Length, traces.Select(t => t.TraceId).Distinct().Count());
        Assert.Equal(traces.Length, traces.Select(t => t.SpanId).Distinct().Count());
    }
}
