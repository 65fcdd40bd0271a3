using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Tests.Diagnostics.Metrics;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Instruments_are_written_with_type_unit_and_escaped_tags()
    {
        using var meter = new Meter("test.text");
        using var text = new PrometheusText(meter);
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
        using var text = new PrometheusText(meter);
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
    public void Of_its_own_name_only_its_own_meter_is_shown_and_of_others_every_one()
    {
        using var own = new Meter("test.mine");
        using var twin = new Meter("test.mine");
        using var named = new Meter("test.named");
        using var other = new Meter("test.other");
        using var text = new PrometheusText(own, "test.named");
        own.CreateCounter<long>("own").Add(1);
        twin.CreateCounter<long>("twin").Add(1);
        named.CreateCounter<long>("named").Add(1);
        other.CreateCounter<long>("other").Add(1);

        var written = text.Write();

        Assert.Contains("own_total 1\n", written, StringComparison.Ordinal);
        Assert.Contains("named_total 1\n", written, StringComparison.Ordinal);
        Assert.DoesNotContain("twin", written, StringComparison.Ordinal);
        Assert.DoesNotContain("other", written, StringComparison.Ordinal);
    }
}
