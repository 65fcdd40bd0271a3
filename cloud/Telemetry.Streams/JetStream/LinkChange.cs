namespace Telemetry.Streams.JetStream;

/// <summary>The ways in which the link to NATS changes.</summary>
public enum LinkChangeKind
{
    /// <summary>A server is ready, for the first time or again.</summary>
    Connected,

    /// <summary>The link broke. The servers are tried one after the other until one is ready.</summary>
    Lost,

    /// <summary>An attempt to connect failed. The next one follows.</summary>
    ConnectFailed,

    /// <summary>The server refused one operation and kept the link, for example because of missing rights.</summary>
    Complained,
}

/// <summary>One change, to be logged.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Detail">The server and its text; without credentials.</param>
public readonly record struct LinkChange(LinkChangeKind Kind, string Detail);
