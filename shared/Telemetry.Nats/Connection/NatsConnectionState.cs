namespace Telemetry.Nats;

/// <summary>Whether a connection has its link.</summary>
public enum NatsConnectionState
{
    /// <summary>Looking for a server; publishes and requests fail at once with a transient exception.</summary>
    Disconnected,

    /// <summary>A server is ready.</summary>
    Connected,

    /// <summary>Disposed.</summary>
    Closed,
}

/// <summary>What happened, for logs.</summary>
public enum NatsConnectionEventKind
{
    /// <summary>A link is ready; subscriptions were said again.</summary>
    Connected,

    /// <summary>The link broke; <see cref="NatsConnectionEvent.Error"/> says why.</summary>
    Disconnected,

    /// <summary>An attempt to connect failed; the next follows.</summary>
    ConnectFailed,

    /// <summary>The server refused one operation and goes on, e.g. for want of rights.</summary>
    ServerComplained,

    /// <summary>Disposal ended before the server had taken everything that was published.</summary>
    ClosedUnsent,
}

/// <summary>One event of a connection.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Generation">The link's number: 1 for the first, one more with each reconnect.</param>
/// <param name="Server">Address of the server, without credentials.</param>
/// <param name="Error">What was wrong; null for <see cref="NatsConnectionEventKind.Connected"/>.</param>
/// <param name="Detail">The server's words where it complained, or what else there is to say.</param>
public sealed record NatsConnectionEvent(
    NatsConnectionEventKind Kind, long Generation, string Server, NatsException? Error, string? Detail);
