namespace Telemetry.MqttSessions;

/// <summary>What became of a message offered to a session.</summary>
public enum MqttSendOutcome
{
    /// <summary>It waits to be sent, in order. It is lost if the session ends before.</summary>
    Queued,
    /// <summary>The session's queue is full (messages or bytes): offer it later, or let it go.</summary>
    QueueFull,
    /// <summary>The session has no subscription that the topic matches.</summary>
    NotSubscribed,
    /// <summary>The message is larger than the client takes.</summary>
    TooLarge,
    /// <summary>The session has ended.</summary>
    Closed,
}
