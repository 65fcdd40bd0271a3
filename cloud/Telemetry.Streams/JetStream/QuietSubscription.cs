using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// A subscription that ends at once. The server hears of it when the library has room for that: its own subscriptions
/// wait for room, up to twice the time limit of a command, and then throw.
/// </summary>
internal abstract class QuietSubscription(NatsConnection connection, string subject)
    : NatsSubBase(connection, ((INatsConnection)connection).SubscriptionManager, subject, null, null)
{
    public override ValueTask DisposeAsync()
    {
        _ = EndAsync();
        return ValueTask.CompletedTask;
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
