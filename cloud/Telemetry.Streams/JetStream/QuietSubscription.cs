using System.Buffers;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// A subscription that ends at once. The server hears of it when the library has room for that: its own subscriptions
/// wait for room, up to twice the time limit of a command, and then throw. Messages are handed over on the library's
/// receive loop, without a buffer that could overflow.
/// </summary>
internal abstract class QuietSubscription(NatsConnection connection, string subject)
    : NatsSubBase(connection, ((INatsConnection)connection).SubscriptionManager, subject, null, null)
{
    public override ValueTask DisposeAsync()
    {
        _ = EndAsync();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Takes one message; the buffers are valid until it returns. Must not wait. If it throws, the link ends: what is
    /// under way fails, and all begin anew.
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
            // The library would end this subscription without a word, or never read from the link again.
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
            // No room all that time: the server keeps the subscription until this link ends, and nobody takes from it.
        }
    }
}
