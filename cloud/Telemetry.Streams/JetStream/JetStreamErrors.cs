namespace Telemetry.Streams.JetStream;

/// <summary>The err_codes that callers distinguish. Source: nats-server, server/errors.json.</summary>
internal static class JetStreamErrors
{
    /// <summary>No message with that sequence: purged, expired, deleted or not written yet.</summary>
    public const int MessageNotFound = 10037;

    /// <summary>A stream of that name exists with another configuration.</summary>
    public const int StreamNameInUse = 10058;

    /// <summary>The stream does not exist.</summary>
    public const int StreamNotFound = 10059;

    /// <summary>
    /// The store refused the message; with discard new that is <c>maximum bytes exceeded</c>. It was not stored.
    /// </summary>
    public const int StoreFailed = 10077;
}
