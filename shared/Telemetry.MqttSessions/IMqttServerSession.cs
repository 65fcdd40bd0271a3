using System.Net;

namespace Telemetry.MqttSessions;

/// <summary>One connected client, as the application sees it. Every member may be called from any thread.</summary>
public interface IMqttServerSession
{
    /// <summary>Client identifier; unique among the sessions of a listener that have not ended.</summary>
    string ClientId { get; }

    /// <summary>User name; null when none was sent.</summary>
    string? UserName { get; }

    /// <summary>Where the connection comes from; null when the link is not a socket.</summary>
    EndPoint? RemoteEndPoint { get; }

    /// <summary>User properties of the CONNECT, as the client sent them.</summary>
    IReadOnlyList<MqttUserProperty> UserProperties { get; }

    /// <summary>Messages that wait to be sent to this client.</summary>
    int QueuedMessages { get; }

    /// <summary>
    /// Offers a message to this client. It never waits, and is sent only if the client subscribes to the topic, with
    /// the lower of <paramref name="qos"/> and what was granted. The payload must stay unchanged.
    /// </summary>
    /// <exception cref="ArgumentException">Topic, QoS or properties are invalid.</exception>
    MqttSendOutcome TrySend(
        string topic, ReadOnlyMemory<byte> payload, MqttQos qos = MqttQos.AtMostOnce,
        IReadOnlyList<MqttUserProperty>? userProperties = null);

    /// <summary>
    /// Says DISCONNECT with the reason and ends the session; the task completes when the socket is closed.
    /// </summary>
    Task DisconnectAsync(MqttReasonCode reason, string text);
}
