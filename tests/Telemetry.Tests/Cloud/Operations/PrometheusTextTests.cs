using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Telemetry.Cloud.Health;
using Telemetry.Ingress;

namespace Telemetry.Tests.Cloud.Operations;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Instruments_are_written_with_type_unit_and_escaped_tags()
    {
        using var meter = new Meter("test.text");
        using var text = new PrometheusText("test.text");
        meter.CreateObservableCounter("a.bytes.sent", () => 5L, "By", "Bytes sent");
        meter.CreateObservableGauge(
            "b", () => new Measurement<double>(1.5, new KeyValuePair<string, object?>("why", "a\"b\\c\nd")));
        var counter = meter.CreateCounter<long>("c", "{thing}");
        counter.Add(2);
        counter.Add(3);
        var histogram = meter.CreateHistogram<double>("d", "s");
        histogram.Record(0.5);
        histogram.Record(0.25);

        var written = text.Write();

        Assert.Equal(
            "# HELP a_bytes_sent_bytes_total Bytes sent\n# TYPE a_bytes_sent_bytes_total "
            + "counter\na_bytes_sent_bytes_total 5\n"
            + "# TYPE b gauge\nb{why=\"a\\\"b\\\\c\\nd\"} 1.5\n"
            + "# TYPE c_total counter\nc_total 5\n"
            + "# TYPE d_seconds summary\nd_seconds_count 2\nd_seconds_sum 0.75\n"
            + "# TYPE telemetry_metrics_series_dropped_total counter\ntelemetry_metrics_series_dropped_total 0\n",
            written);
        Assert.Contains("c_total 5\n", text.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_without_end_are_counted_and_not_kept()
    {
        using var meter = new Meter("test.bound");
        using var text = new PrometheusText("test.bound");
        var counter = meter.CreateCounter<long>("c");
        for (var i = 0; i < PrometheusText.SeriesMax + 7; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("tag", i));
        }

        var written = text.Write();

        Assert.Contains("telemetry_metrics_series_dropped_total 7\n", written, StringComparison.Ordinal);
        Assert.Equal(
            PrometheusText.SeriesMax,
            written.Split('\n').Count(line => line.StartsWith("c_total{", StringComparison.Ordinal)));
    }

    [Fact]
    public void Other_meters_are_not_heard()
    {
        using var meter = new Meter("test.other");
        using var text = new PrometheusText("test.mine");
        meter.CreateCounter<long>("c").Add(1);

        Assert.DoesNotContain("c_total", text.Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_ingress_event_is_shown_by_name()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var text = new PrometheusText(CloudMetrics.MeterName);
        using var metrics = new CloudMetrics(services.GetRequiredService<IMeterFactory>());
        var counters = new IngressCounters();
        metrics.Watch(counters);
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
