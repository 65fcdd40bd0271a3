using Telemetry.Cloud.Installations;
using Telemetry.Model;
using Telemetry.Nats;

namespace Telemetry.Cloud.Log;

/// <summary>
/// The bus over core NATS. A hello is a request with the gateway in a header; who serves the partition confirms it at
/// once with an empty answer, before it is handled: the answer proper goes down. Errors are <see cref="LogException"/>.
/// An ingress and an owner with different facts never meet: their subjects differ. Handlers run in the synchronization
/// context of whoever asked for them, else on the connection's receive loop.
/// </summary>
internal sealed class NatsBus(NatsConnection connection, InstallationFacts facts) : IBus
{
    /// <summary>
    /// Hellos that wait for a server's context at most; one more is not confirmed and not handled: its gateway is
    /// refused in time and says it again with jitter.
    /// </summary>
    public const int HellosWaitingMax = 4096;

    private const string GatewayHeader = "Gateway";

    public async ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken)
    {
        try
        {
            var headers = new NatsHeaders { { GatewayHeader, gateway.Value } };
            await connection.RequestAsync(
                HelloSubject(partition), hello, headers: headers, ct: cancellationToken);
            return true;
        }
        catch (NatsNoRespondersException)
        {
            return false;
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw new LogException($"hello to the owner of partition {partition}: {e.Message}", inner: e);
        }
    }

    public async ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var serving = new HelloServer(connection, handler, SynchronizationContext.Current);
        return await SubscribeAsync(HelloSubject(partition), serving.Handle, cancellationToken);
    }

    public async ValueTask SendDownAsync(
        GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await connection.PublishAsync(Routes.DownSubject(gateway), message, ct: cancellationToken);
        }
        catch (Exception e) when (e is NatsException or ObjectDisposedException)
        {
            throw new LogException($"send down to {gateway}: {e.Message}", inner: e);
        }
    }

    public ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var context = SynchronizationContext.Current;
        return SubscribeAsync(
            Routes.DownSubject(gateway),
            context is null
                ? message => handler(message.Data)
                : message => context.Post(_ => handler(message.Data), null),
            cancellationToken);
    }

    private string HelloSubject(int partition) =>
        Routes.HelloSubject(facts.Generation, facts.Partitions, partition);

    /// <summary>Subscribes and waits until the server has it: what anyone sends from then on comes.</summary>
    private async ValueTask<IAsyncDisposable> SubscribeAsync(
        string subject, NatsMessageHandler handler, CancellationToken cancellationToken)
    {
        NatsSubscription? subscription = null;
        try
        {
            subscription = await connection.SubscribeAsync(subject, handler, ct: cancellationToken);
            await connection.FlushAsync(cancellationToken);
            return subscription;
        }
        catch (Exception e)
        {
            if (subscription is not null)
            {
                await subscription.DisposeAsync();
            }

            if (e is NatsException or ObjectDisposedException or InvalidOperationException)
            {
                throw new LogException($"subscribe to {subject}: {e.Message}", inner: e);
            }

            throw;
        }
    }

    private sealed class HelloServer(
        NatsConnection connection, Action<GatewayId, ReadOnlyMemory<byte>> handler, SynchronizationContext? context)
    {
        private int _waiting;

        public void Handle(NatsMessage message)
        {
            if (message.ReplyTo is not { } replyTo
                || !TryGateway(message, out var gateway)
                || Volatile.Read(ref _waiting) >= HellosWaitingMax)
            {
                return;
            }

            _ = ConfirmAsync(replyTo);
            if (context is null)
            {
                handler(gateway, message.Data);
                return;
            }

            Interlocked.Increment(ref _waiting);
            context.Post(
                _ =>
                {
                    Interlocked.Decrement(ref _waiting);
                    handler(gateway, message.Data);
                },
                null);
        }

        private static bool TryGateway(NatsMessage message, out GatewayId gateway)
        {
            try
            {
                return GatewayId.TryParse(message.FindHeader(GatewayHeader), out gateway);
            }
            catch (NatsProtocolException)
            {
                // Not from an ingress of ours; nothing thrown here may reach the receive loop.
                gateway = default;
                return false;
            }
        }

        private async Task ConfirmAsync(string replyTo)
        {
            try
            {
                await connection.PublishAsync(replyTo, default);
            }
            catch (Exception e) when (e is NatsException or ObjectDisposedException)
            {
                // The link broke meanwhile: the ingress hears of it too, refuses the hello, and the gateway repeats it.
            }
        }
    }
}
