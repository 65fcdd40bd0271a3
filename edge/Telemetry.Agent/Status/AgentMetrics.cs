using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Inputs;

namespace Telemetry.Agent.Status;

/// <summary>
/// The instruments of an agent process: sums over its agents, without a tag that names a gateway.
/// docs/reference/metrics.md lists them. They show the status of the last <see cref="Write"/>, which one thread calls.
/// </summary>
public sealed class AgentMetrics : IDisposable
{
    private readonly Meter _meter = new("Telemetry.Agent");
    private readonly PrometheusText _text;
    private IReadOnlyCollection<AgentStatus> _agents = [];

    /// <param name="traces">Null while no traces are exported.</param>
    public AgentMetrics(TraceExportCounters? traces)
    {
        _text = new PrometheusText(_meter);
        Publish(_meter);
        foreach (var kind in InputCatalog.Kinds)
        {
            kind.Publish(_meter, () => _agents.SelectMany(agent => agent.Inputs));
        }

        if (traces is not null)
        {
            Publish(_meter, traces);
        }
    }

    /// <summary>Prometheus' text of these agents.</summary>
    public string Write(IReadOnlyCollection<AgentStatus> agents)
    {
        _agents = agents;
        return _text.Write();
    }

    public void Dispose()
    {
        _text.Dispose();
        _meter.Dispose();
    }

    private void Publish(Meter meter)
    {
        meter.Gauge("telemetry.agent.gateways", "Agents of this process.", () => _agents.Count);
        meter.Gauge("telemetry.agent.links_up", "Agents whose link is up.", () => Count(a => a.LinkUp));
        meter.Gauge(
            "telemetry.agent.accepted_readings", "Readings that their outboxes ever accepted.",
            () => Sum(a => a.Accepted));
        meter.Gauge(
            "telemetry.agent.edge_readings", "Readings still in the outboxes.", () => Sum(a => a.AtTheEdge));
        meter.Gauge(
            "telemetry.agent.in_flight_readings", "Readings sent and not settled.", () => Sum(a => a.InFlight));
        meter.Gauge(
            "telemetry.agent.in_flight_frames", "Frames sent and not settled.", () => Sum(a => a.FramesInFlight));
        meter.Counter(
            "telemetry.agent.resent_frames", "{frame}", "Frames judged lost on the way.",
            () => Sum(a => a.FramesResent));
        meter.Counter(
            "telemetry.agent.refused_frames", "{frame}", "Frames refused for a fault of their own.",
            () => Sum(a => a.FramesRefused));
        meter.Counter(
            "telemetry.agent.refused_readings", "{reading}", "Readings refused by the outboxes.",
            () => Sum(a => a.Refused));
        meter.Gauge(
            "telemetry.agent.forks", "Agents that found a fork of their outbox.", () => Count(a => a.Fork.Length > 0));
        meter.Gauge(
            "telemetry.agent.outbox", "Bytes of the outboxes' files that count against their quotas.",
            () => Sum(a => a.OutboxBytes), "By");
        meter.Gauge("telemetry.agent.quotas_reached", "Outboxes at their quota.", () => Count(a => a.AtQuota));
        meter.Gauge(
            "telemetry.agent.disk_problems", "Outboxes whose disk is full, read-only or failing.",
            () => Count(a => a.DiskProblem));
        meter.Gauge(
            "telemetry.agent.remembered_requests", "Requests remembered for their repeats.",
            () => Sum(a => a.RequestsRemembered));
        meter.Counter(
            "telemetry.agent.forgotten_requests", "{request}", "Requests forgotten before their time.",
            () => Sum(a => a.RequestsForgottenEarly));
    }

    private static void Publish(Meter meter, TraceExportCounters traces)
    {
        meter.Counter(
            "telemetry.agent.exported_spans", "{span}", "Spans that the collector took.", () => traces.Exported);
        meter.Counter(
            "telemetry.agent.failed_spans", "{span}", "Spans that the collector did not take.", () => traces.Failed);
        meter.Counter(
            "telemetry.agent.dropped_spans", "{span}", "Spans dropped because too many waited.",
            () => traces.Dropped);
        meter.Gauge(
            "telemetry.agent.waiting_spans", "Spans that wait for the collector.", () => traces.Waiting);
    }

    private long Count(Func<AgentStatus, bool> condition) => _agents.Count(condition);

    private long Sum(Func<AgentStatus, long> count) => _agents.Sum(count);
}
