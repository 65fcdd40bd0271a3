using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Ingress;

namespace Telemetry.Tests.Ingress;

public sealed class IngressCountersTests
{
    [Fact]
    public void Every_event_is_shown_by_name()
    {
        using var meter = new Meter("test");
        using var text = new PrometheusText(meter);
        var counters = new IngressCounters();
        counters.Publish(meter);
        counters.Count(IngressEvent.FrameMalformed, 3);
        counters.Count(IngressEvent.ByteAppended, 100);

        var written = text.Write();

        Assert.Contains(
            "telemetry_ingress_events_total{event=\"frame_malformed\"} 3\n", written, StringComparison.Ordinal);
        Assert.Contains(
            "telemetry_ingress_events_total{event=\"connect_unavailable\"} 0\n", written, StringComparison.Ordinal);
        Assert.Contains("telemetry_ingress_appended_bytes_total 100\n", written, StringComparison.Ordinal);
    }
}
