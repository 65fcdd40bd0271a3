namespace Telemetry.Streams.JetStream;

/// <summary>Why a pull consumer ended. In every case: check the position again and begin a new one.</summary>
public enum PullConsumerEndReason
{
    /// <summary>The connection lost its link; it connects again by itself.</summary>
    ConnectionLost,

    /// <summary>
    /// The server sent nothing about this consumer: it was removed with its stream, or its server was cut off.
    /// </summary>
    HeartbeatsMissed,

    /// <summary>The consumer or its stream was deleted.</summary>
    Deleted,

    /// <summary>
    /// The next message did not have the next sequence: messages were purged, aged out or deleted, or the stream is
    /// another one. The message after the gap was not delivered.
    /// </summary>
    Jump,

    /// <summary>The server refused to continue; <see cref="PullConsumerEnd.Detail"/> is its text.</summary>
    Refused,

    /// <summary>It or its connection was disposed.</summary>
    Closed,
}

/// <summary>How a pull consumer ended.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Detail">A text for people.</param>
/// <param name="ExpectedSequence">For a jump: the stream sequence that was expected.</param>
/// <param name="GotSequence">For a jump: the stream sequence that arrived.</param>
internal sealed record PullConsumerEnd(
    PullConsumerEndReason Reason, string Detail, ulong ExpectedSequence = 0, ulong GotSequence = 0);
