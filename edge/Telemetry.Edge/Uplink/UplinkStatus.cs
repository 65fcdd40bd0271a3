namespace Telemetry.Edge.Uplink;

/// <summary>
/// The state of the uplink. Written by the agent's thread and read by any thread (each value is one machine word, so
/// reads are never torn).
/// </summary>
public sealed class UplinkStatus
{
    /// <summary>True while connected.</summary>
    public bool Connected { get; internal set; }

    /// <summary>Frames sent whose PUBACK is awaited.</summary>
    public int InFlight { get; internal set; }

    /// <summary>Frames sent since the process started.</summary>
    public long FramesSent { get; internal set; }

    /// <summary>Frames sent again because they were judged lost on the way.</summary>
    public long FramesResent { get; internal set; }

    /// <summary>Frames refused for a fault of their own.</summary>
    public long FramesRefused { get; internal set; }

    /// <summary>Publishes refused because of missing rights or load.</summary>
    public long Refusals { get; internal set; }

    /// <summary>Frames freed by stored-acks and answers.</summary>
    public long FramesFreed { get; internal set; }

    /// <summary>Full hellos sent.</summary>
    public long Hellos { get; internal set; }

    /// <summary>Answers that counted.</summary>
    public long Answers { get; internal set; }

    /// <summary>Answers and stored-acks that were ignored: for an older hello, or with another owner's token.</summary>
    public long Ignored { get; internal set; }

    /// <summary>When the last answer or stored-ack that counted arrived, in UTC.</summary>
    public DateTimeOffset? LastWord { get; internal set; }

    /// <summary>Why the agent believes that it is a fork; empty when it does not.</summary>
    public string Fork { get; internal set; } = "";

    /// <summary>The last error of the link.</summary>
    public string LastError { get; internal set; } = "";
}
