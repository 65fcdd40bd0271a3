using System.Buffers;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// A subscription that ends at once. The server is informed when the library has room to send that: its own
/// subscriptions wait for room, up to twice the time limit of a command, and then throw. Messages are passed on in the
/// library's receive loop, without a buffer that could overflow.
/// </summary>
internal abstract class QuietSubscription(NatsConnection connection, string subject, string? group = null)
    : NatsSubBase(connection, ((INatsConnection)connection).SubscriptionManager, subject, group, null)
{
    public override ValueTask DisposeAsync()
    {
        _ = EndAsync();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Handles one message; the buffers are valid until it returns. Must not wait. If it throws, the link ends: calls
    /// under way fail, and everything starts again.
    /// </summary>
    protected abstract void Receive(
        string subject, string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload);

    protected sealed override ValueTask ReceiveInternalAsync(
        string subject, string? replyTo, ReadOnlySequence<byte>? headersBuffer, ReadOnlySequence<byte> payloadBuffer)
    {
        try
        {
            Receive(subject, replyTo, headersBuffer, payloadBuffer);
        }
        catch (Exception)
        {
            // Otherwise the library would silently end this subscription, or never read from the link again.
            _ = BreakAsync();
        }

        return ValueTask.CompletedTask;
    }

    private async Task BreakAsync()
    {
        try
        {
            await Connection.ReconnectAsync();
        }
        catch (Exception)
        {
            // It broke by itself meanwhile.
        }
    }

    private async Task EndAsync()
    {
        try
        {
            await base.DisposeAsync();
        }
        catch (Exception e) when (JetStreamConnection.IsTrouble(e, CancellationToken.None))
        {
            // There was no room in all that time: the server keeps the subscription until this link ends, and nobody
            // uses it.
        }
    }
}
