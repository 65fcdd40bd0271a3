namespace Telemetry.Streams.JetStream;

/// <summary>Why a pull consumer ended. Whatever it is: check the position again and begin a new one.</summary>
public enum PullConsumerEndReason
{
    /// <summary>The connection lost its link; it connects again by itself.</summary>
    ConnectionLost,

    /// <summary>The server fell silent about this consumer: gone with its stream, or its server was cut off.</summary>
    HeartbeatsMissed,

    /// <summary>The consumer or its stream was deleted.</summary>
    Deleted,

    /// <summary>
    /// The next message was not the next sequence: messages were purged, aged out or deleted, or the stream is another.
    /// The message that jumped was not handed out.
    /// </summary>
    Jump,

    /// <summary>The server refused to go on; <see cref="PullConsumerEnd.Detail"/> has its words.</summary>
    Refused,

    /// <summary>It or its connection was disposed.</summary>
    Closed,
}

/// <summary>How a pull consumer ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Detail">For people.</param>
/// <param name="ExpectedSequence">Of a jump: the stream sequence that was due.</param>
/// <param name="GotSequence">Of a jump: the stream sequence that came.</param>
internal sealed record PullConsumerEnd(
    PullConsumerEndReason Reason, string Detail, ulong ExpectedSequence = 0, ulong GotSequence = 0);
