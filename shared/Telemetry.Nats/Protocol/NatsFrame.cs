using System.Buffers;

namespace Telemetry.Nats;

/// <summary>The frames that a server sends to a client.</summary>
internal enum NatsFrameKind : byte
{
    Info,
    Message,
    MessageWithHeaders,
    Ping,
    Pong,
    Ok,
    Error,
}

/// <summary>
/// One frame from the server, as views into the receive buffer and the reader's scratch memory: valid
/// only until the reader is called again. The receive loop alone touches it; who keeps something copies it.
/// </summary>
internal readonly ref struct NatsFrame
{
    public required NatsFrameKind Kind { get; init; }

    /// <summary>Subject the message was published on (messages only).</summary>
    public ReadOnlySpan<byte> Subject { get; init; }

    /// <summary>The subscription it is delivered to (messages only).</summary>
    public long SubscriptionId { get; init; }

    /// <summary>Where an answer is expected; empty if nowhere.</summary>
    public ReadOnlySpan<byte> ReplyTo { get; init; }

    /// <summary>From <c>NATS/1.0</c> to the empty line, both included; empty without headers.</summary>
    public ReadOnlySequence<byte> Headers { get; init; }

    public ReadOnlySequence<byte> Payload { get; init; }

    /// <summary>The JSON of INFO, or the text of -ERR without its quotes.</summary>
    public ReadOnlySpan<byte> Text { get; init; }
}
