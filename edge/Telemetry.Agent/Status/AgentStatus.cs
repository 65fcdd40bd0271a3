using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Telemetry.Diagnostics.Tracing;
using Telemetry.Inputs.Http;

namespace Telemetry.Agent.Status;

/// <summary>How an agent stands at one moment; all counts are readings unless they say frames.</summary>
public sealed record AgentStatus
{
    // People read it, and no browser takes it for HTML: an apostrophe stays one.
    private static readonly JsonWriterOptions Readable =
        new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The gateway.</summary>
    public required string Gateway { get; init; }

    /// <summary>True while the outbox is open.</summary>
    public bool OutboxOpen { get; init; }

    /// <summary>
    /// Why readings are refused, or the outbox is not open, in words; empty while all is well.
    /// </summary>
    public string Problem { get; init; } = "";

    /// <summary>True while the outbox is at its quota.</summary>
    public bool AtQuota { get; init; }

    /// <summary>True while the disk is full, read-only or failing.</summary>
    public bool DiskProblem { get; init; }

    /// <summary>What the outbox' files take of the disk: the bytes that count against the quota.</summary>
    public long OutboxBytes { get; init; }

    /// <summary>True while readings are taken.</summary>
    public bool IsReady => OutboxOpen && Problem.Length == 0;

    /// <summary>True while the link is up.</summary>
    public bool LinkUp { get; init; }

    /// <summary>Why the link is down, where that is known.</summary>
    public string LinkProblem { get; init; } = "";

    /// <summary>Ever accepted by this outbox.</summary>
    public long Accepted { get; init; }

    /// <summary>Still in the outbox: unsealed, or sealed and not settled.</summary>
    public long AtTheEdge { get; init; }

    /// <summary>Of those: sent, and not settled as far as is known here.</summary>
    public long InFlight { get; init; }

    /// <summary>Frames that those are.</summary>
    public int FramesInFlight { get; init; }

    /// <summary>Of those frames: sent without a PUBACK yet.</summary>
    public int FramesAwaitingPubAck { get; init; }

    /// <summary>Accepted and gone from the outbox: stored, rejected, dropped or lost.</summary>
    public long Settled => Math.Max(0, Accepted - AtTheEdge);

    /// <summary>Frames sent again in this run, because they were judged lost on the way.</summary>
    public long FramesResent { get; init; }

    /// <summary>Frames refused in this run for a fault of their own.</summary>
    public long FramesRefused { get; init; }

    /// <summary>True when every input has come to its end.</summary>
    public bool InputsEnded { get; init; }

    /// <summary>When the last answer or stored-ack came; null before the first.</summary>
    public DateTimeOffset? LastAnswer { get; init; }

    /// <summary>The promised W; null before the first.</summary>
    public DateTimeOffset? Watermark { get; init; }

    /// <summary>Offers' readings that were refused in this run.</summary>
    public long Refused { get; init; }

    /// <summary>Why the agent thinks that it is a fork; empty when it does not.</summary>
    public string Fork { get; init; } = "";

    /// <summary>Requests that the outbox remembers, for their repeats.</summary>
    public int RequestsRemembered { get; init; }

    /// <summary>
    /// Requests that this opening of the outbox forgot before their time, because there were too many.
    /// </summary>
    public long RequestsForgottenEarly { get; init; }

    /// <summary>The HTTP input; null when there is none.</summary>
    public HttpInputStatus? Http { get; init; }

    /// <summary>A JSON array of agents.</summary>
    public static ReadOnlyMemory<byte> Json(IEnumerable<AgentStatus> agents)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartArray();
            foreach (var agent in agents)
            {
                agent.Write(json);
            }

            json.WriteEndArray();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>
    /// Prometheus' text format, version 0.0.4: sums over the process' agents, without a tag that names a gateway.
    /// docs/metrics.md lists them. <paramref name="traces"/>: null while none are exported.
    /// </summary>
    public static string Prometheus(IReadOnlyCollection<AgentStatus> agents, TraceExportCounters? traces = null)
    {
        var text = new StringBuilder();
        Gauge("telemetry_agent_gateways", "Agents of this process.", agents.Count);
        Gauge("telemetry_agent_links_up", "Agents whose link is up.", agents.Count(a => a.LinkUp));
        Gauge(
            "telemetry_agent_accepted_readings", "Readings that their outboxes ever accepted.",
            agents.Sum(a => a.Accepted));
        Gauge("telemetry_agent_edge_readings", "Readings still in the outboxes.", agents.Sum(a => a.AtTheEdge));
        Gauge("telemetry_agent_in_flight_readings", "Readings sent and not settled.", agents.Sum(a => a.InFlight));
        Gauge(
            "telemetry_agent_in_flight_frames", "Frames sent and not settled.",
            agents.Sum(a => (long)a.FramesInFlight));
        Counter(
            "telemetry_agent_resent_frames_total", "Frames judged lost on the way.", agents.Sum(a => a.FramesResent));
        Counter(
            "telemetry_agent_refused_frames_total", "Frames refused for a fault of their own.",
            agents.Sum(a => a.FramesRefused));
        Counter(
            "telemetry_agent_refused_readings_total", "Readings refused by the outboxes.", agents.Sum(a => a.Refused));
        Gauge("telemetry_agent_forks", "Agents that think they are a fork.", agents.Count(a => a.Fork.Length > 0));
        Gauge(
            "telemetry_agent_outbox_bytes", "Bytes of the outboxes' files that count against their quotas.",
            agents.Sum(a => a.OutboxBytes));
        Gauge("telemetry_agent_quotas_reached", "Outboxes at their quota.", agents.Count(a => a.AtQuota));
        Gauge(
            "telemetry_agent_disk_problems", "Outboxes whose disk is full, read-only or failing.",
            agents.Count(a => a.DiskProblem));
        Gauge(
            "telemetry_agent_remembered_requests", "Requests remembered for their repeats.",
            agents.Sum(a => (long)a.RequestsRemembered));
        Counter(
            "telemetry_agent_forgotten_requests_total", "Requests forgotten before their time.",
            agents.Sum(a => a.RequestsForgottenEarly));
        HttpInputStatus.WritePrometheus(text, [.. agents.Select(a => a.Http).OfType<HttpInputStatus>()]);
        if (traces is not null)
        {
            Counter("telemetry_agent_exported_spans_total", "Spans that the collector took.", traces.Exported);
            Counter("telemetry_agent_failed_spans_total", "Spans that the collector did not take.", traces.Failed);
            Counter("telemetry_agent_dropped_spans_total", "Spans dropped because too many waited.", traces.Dropped);
            Gauge("telemetry_agent_waiting_spans", "Spans that wait for the collector.", traces.Waiting);
        }

        return text.ToString();

        void Gauge(string name, string help, long value) => Metric(text, name, "gauge", help, value);
        void Counter(string name, string help, long value) => Metric(text, name, "counter", help, value);
    }

    private static void Metric(StringBuilder text, string name, string type, string help, long value) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("gateway", Gateway);
        json.WriteBoolean("outboxOpen", OutboxOpen);
        json.WriteString("problem", Problem);
        json.WriteBoolean("atQuota", AtQuota);
        json.WriteBoolean("diskProblem", DiskProblem);
        json.WriteNumber("outboxBytes", OutboxBytes);
        json.WriteBoolean("linkUp", LinkUp);
        json.WriteString("linkProblem", LinkProblem);
        json.WriteNumber("accepted", Accepted);
        json.WriteNumber("atTheEdge", AtTheEdge);
        json.WriteNumber("inFlight", InFlight);
        json.WriteNumber("framesInFlight", FramesInFlight);
        json.WriteNumber("framesAwaitingPubAck", FramesAwaitingPubAck);
        json.WriteNumber("settled", Settled);
        json.WriteNumber("framesResent", FramesResent);
        json.WriteNumber("framesRefused", FramesRefused);
        json.WriteBoolean("inputsEnded", InputsEnded);
        Time(json, "lastAnswer", LastAnswer);
        Time(json, "watermark", Watermark);
        json.WriteNumber("refused", Refused);
        json.WriteString("fork", Fork);
        json.WriteNumber("requestsRemembered", RequestsRemembered);
        json.WriteNumber("requestsForgottenEarly", RequestsForgottenEarly);
        if (Http is not null)
        {
            json.WriteStartObject("http");
            Http.Write(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } at)
        {
            json.WriteString(name, at);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
