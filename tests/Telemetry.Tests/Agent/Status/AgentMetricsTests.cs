using Telemetry.Agent.Status;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Inputs.Http;

namespace Telemetry.Tests.Agent.Status;

public sealed class AgentMetricsTests
{
    private static readonly AgentStatus Status = new()
    {
        Gateway = "gw-1",
        Accepted = 10,
        AtTheEdge = 4,
        InFlight = 3,
        LinkUp = true,
        OutboxBytes = 5,
        FramesResent = 6,
    };

    private static readonly HttpInputStatus Http = new()
    {
        Answers = [new(204, 2), new(400, 0), new(0, 1)],
        LinesStored = 7,
        LinesRefused = 8,
        Repeats = 9,
        Connections = 11,
        ConnectionsRefused = 12,
        BodiesCut = 13,
        SeriesCacheCleared = 14,
    };

    [Fact]
    public void Values_are_the_sums_of_the_process_and_name_no_gateway()
    {
        using var metrics = new AgentMetrics(null);

        var text = metrics.Write([Status, Status with { Gateway = "gw-2", LinkUp = false }]);

        Assert.Contains(
            "# HELP telemetry_agent_accepted_readings Readings that their outboxes ever accepted.\n"
            + "# TYPE telemetry_agent_accepted_readings gauge\ntelemetry_agent_accepted_readings 20\n",
            text, StringComparison.Ordinal);
        Assert.Contains(
            "# TYPE telemetry_agent_resent_frames_total counter\ntelemetry_agent_resent_frames_total 12\n",
            text, StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_outbox_bytes 10\n", text, StringComparison.Ordinal);
        Assert.Contains("telemetry_agent_links_up 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("gw-", text, StringComparison.Ordinal);
        Assert.DoesNotContain("_spans", text, StringComparison.Ordinal);
        Assert.DoesNotContain("_http_", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_reading_shows_the_second_status()
    {
        using var metrics = new AgentMetrics(null);
        metrics.Write([Status]);

        Assert.Contains(
            "telemetry_agent_in_flight_readings 2\n", metrics.Write([Status with { InFlight = 2 }]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_http_inputs_are_summed_with_the_statuses_that_were_answered()
    {
        using var metrics = new AgentMetrics(null);

        var text = metrics.Write([Status with { Inputs = [Http] }, Status, Status with { Inputs = [Http] }]);

        Assert.Equal(
            """
            # HELP telemetry_agent_http_answers_total Requests by the status that they were answered with.
            # TYPE telemetry_agent_http_answers_total counter
            telemetry_agent_http_answers_total{status="204"} 4
            telemetry_agent_http_answers_total{status="other"} 2
            # HELP telemetry_agent_http_bodies_cut_total Bodies whose senders left in the middle.
            # TYPE telemetry_agent_http_bodies_cut_total counter
            telemetry_agent_http_bodies_cut_total 26
            # HELP telemetry_agent_http_connections Connections now.
            # TYPE telemetry_agent_http_connections gauge
            telemetry_agent_http_connections 22
            # HELP telemetry_agent_http_connections_refused_total Connections over the limit.
            # TYPE telemetry_agent_http_connections_refused_total counter
            telemetry_agent_http_connections_refused_total 24
            # HELP telemetry_agent_http_lines_total Lines of line protocol.
            # TYPE telemetry_agent_http_lines_total counter
            telemetry_agent_http_lines_total{outcome="refused"} 16
            telemetry_agent_http_lines_total{outcome="stored"} 14
            # HELP telemetry_agent_http_repeats_total Requests that repeated an earlier one.
            # TYPE telemetry_agent_http_repeats_total counter
            telemetry_agent_http_repeats_total 18
            # HELP telemetry_agent_http_series_cache_cleared_total Times that the cache of series was full.
            # TYPE telemetry_agent_http_series_cache_cleared_total counter
            telemetry_agent_http_series_cache_cleared_total 28

            """,
            string.Concat(text.Split('\n').Where(line => line.Contains("_http_", StringComparison.Ordinal))
                .Select(line => line + "\n")));
    }

    [Fact]
    public void Exported_traces_are_shown()
    {
        using var metrics = new AgentMetrics(new TraceExportCounters());

        var text = metrics.Write([Status]);

        foreach (var name in (string[])["exported_spans_total", "failed_spans_total", "dropped_spans_total",
            "waiting_spans"])
        {
            Assert.Contains($"\ntelemetry_agent_{name} 0\n", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_processes_in_one_do_not_mix()
    {
        using var one = new AgentMetrics(null);
        using var two = new AgentMetrics(null);
        two.Write([Status, Status]);

        Assert.Contains("telemetry_agent_gateways 1\n", one.Write([Status]), StringComparison.Ordinal);
    }
}
