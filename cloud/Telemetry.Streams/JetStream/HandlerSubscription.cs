using System.Buffers;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// A subscription that passes its messages to a handler, which must copy what it keeps, and must not wait or throw.
/// </summary>
internal sealed class HandlerSubscription(
    NatsConnection connection, string subject, MessageHandler handler, string? group = null)
    : QuietSubscription(connection, subject, group), IAsyncDisposable
{
    protected override void Receive(
        string subject, string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload)
    {
        handler(replyTo, headers, payload);
    }

    protected override void TryComplete()
    {
        // Nobody waits for the end of the subscription.
    }
}

/// <summary>Handles one message; the buffers are valid until it returns.</summary>
internal delegate void MessageHandler(
    string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload);
