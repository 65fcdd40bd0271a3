using System.IO.Pipelines;

namespace Telemetry.MqttSessions.Transport;

/// <summary>The bytes of one connection, whatever carries them.</summary>
internal interface ISessionLink
{
    /// <summary>
    /// What the client sends, and what is sent to it. A flush completes when the network has taken the bytes: that is
    /// how a client that does not read is known.
    /// </summary>
    IDuplexPipe Pipe { get; }

    /// <summary>Tells the client that nothing more comes; what it sends can still be read.</summary>
    ValueTask EndSendingAsync();

    /// <summary>Cuts the connection, also under a write that waits.</summary>
    void Cut();
}
