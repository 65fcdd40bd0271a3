namespace Telemetry.Streams.JetStream;

/// <summary>What happened to the link to NATS.</summary>
public enum LinkChangeKind
{
    /// <summary>A server is ready, for the first time or again.</summary>
    Connected,

    /// <summary>The link broke. The next server is tried, again and again.</summary>
    Lost,

    /// <summary>An attempt to connect failed. The next one follows.</summary>
    ConnectFailed,

    /// <summary>The server refused one operation and goes on, for example for want of rights.</summary>
    Complained,
}

/// <summary>One change, for the log.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Detail">The server and its words; without credentials.</param>
public readonly record struct LinkChange(LinkChangeKind Kind, string Detail);
