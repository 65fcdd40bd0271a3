using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Telemetry.Edge.Hosting;

/// <summary>How an agent stands at one moment; all counts are readings unless they say frames.</summary>
public sealed record AgentStatus
{
    /// <summary>The gateway.</summary>
    public required string Gateway { get; init; }

    /// <summary>True while the outbox is open.</summary>
    public bool OutboxOpen { get; init; }

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

    /// <summary>A JSON array of agents.</summary>
    public static ReadOnlyMemory<byte> Json(IEnumerable<AgentStatus> agents)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
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

    /// <summary>Prometheus' text format, version 0.0.4.</summary>
    public static string Prometheus(IReadOnlyCollection<AgentStatus> agents)
    {
        var text = new StringBuilder();
        Metric(text, agents, "telemetry_agent_accepted_readings_total", "counter", "Readings ever accepted.", a => a.Accepted);
        Metric(text, agents, "telemetry_agent_edge_readings", "gauge", "Readings still in the outbox.", a => a.AtTheEdge);
        Metric(text, agents, "telemetry_agent_in_flight_readings", "gauge", "Readings sent and not settled.", a => a.InFlight);
        Metric(text, agents, "telemetry_agent_in_flight_frames", "gauge", "Frames sent and not settled.", a => a.FramesInFlight);
        Metric(text, agents, "telemetry_agent_refused_readings_total", "counter", "Readings refused by the outbox.", a => a.Refused);
        Metric(text, agents, "telemetry_agent_link_up", "gauge", "1 while the link is up.", a => a.LinkUp ? 1 : 0);
        return text.ToString();
    }

    private static void Metric(
        StringBuilder text, IEnumerable<AgentStatus> agents, string name, string type, string help, Func<AgentStatus, long> value)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var agent in agents)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{{gateway=\"{agent.Gateway}\"}} {value(agent)}\n");
        }
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("gateway", Gateway);
        json.WriteBoolean("outboxOpen", OutboxOpen);
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
