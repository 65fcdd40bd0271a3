using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Telemetry.Inputs;

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

    /// <summary>What the inputs say of themselves; most say nothing.</summary>
    public IReadOnlyList<IInputStatus> Inputs { get; init; } = [];

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
        foreach (var input in Inputs)
        {
            json.WriteStartObject(input.Name);
            input.Write(json);
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
