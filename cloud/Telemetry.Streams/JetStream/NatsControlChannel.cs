using System.Buffers;
using NATS.Client.Core;
using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// The control channel over core NATS. A hello is a request with the gateway in a header; the partition's owner
/// confirms it at once with an empty reply, before it is handled; the answer to the hello is sent down separately.
/// Errors are <see cref="FrameLogException"/>. An ingress and an owner with different facts never communicate, because
/// their subjects differ. Handlers run in the synchronization context of the caller that registered them, otherwise on
/// the connection's receive loop.
/// </summary>
public sealed class NatsControlChannel(JetStreamConnection connection, InstallationFacts facts) : IControlChannel
{
    /// <summary>
    /// The most hellos that wait for the context of a handler. A further one is neither confirmed nor handled: its
    /// gateway is refused after the time limit and repeats it with jitter.
    /// </summary>
    public const int HellosWaitingMax = 4096;

    private const string GatewayHeader = "Gateway";

    private static readonly NatsRawSerializer<ReadOnlyMemory<byte>> Raw =
        NatsRawSerializer<ReadOnlyMemory<byte>>.Default;

    public ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken) =>
        connection.CallAsync(
            $"hello to the owner of partition {partition}",
            async token =>
            {
                try
                {
                    var confirmed = await connection.Nats.RequestAsync<ReadOnlyMemory<byte>, NatsMemoryOwner<byte>>(
                        HelloSubject(partition),
                        hello,
                        new NatsHeaders { [GatewayHeader] = gateway.Value },
                        Raw,
                        NatsRawSerializer<NatsMemoryOwner<byte>>.Default,
                        replyOpts: new NatsSubOpts
                        {
                            ThrowIfNoResponders = true,
                            Timeout = connection.Options.RequestTimeout,
                        },
                        cancellationToken: token);
                    confirmed.Data.Dispose();
                    return true;
                }
                catch (NatsNoRespondersException)
                {
                    return false;
                }
            },
            cancellationToken);

    public async ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var serving = new HelloServer(connection, handler, SynchronizationContext.Current);
        return await SubscribeAsync(HelloSubject(partition), serving.Handle, cancellationToken);
    }

    public async ValueTask SendDownAsync(
        GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            $"send down to {gateway}",
            async token =>
            {
                await connection.Nats.PublishAsync(
                    StreamNames.DownSubject(gateway), message, serializer: Raw, cancellationToken: token);
                return true;
            },
            cancellationToken);

    public ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var context = SynchronizationContext.Current;
        return SubscribeAsync(
            StreamNames.DownSubject(gateway),
            (string? _, in ReadOnlySequence<byte>? _, in ReadOnlySequence<byte> payload) =>
            {
                var message = payload.ToArray();
                if (context is null)
                {
                    handler(message);
                }
                else
                {
                    context.Post(_ => handler(message), null);
                }
            },
            cancellationToken);
    }

    private string HelloSubject(int partition) =>
        StreamNames.HelloSubject(facts.Generation, facts.Partitions, partition);

    /// <summary>
    /// Subscribes and waits until the server has registered it: messages that anyone sends from then on arrive.
    /// </summary>
    private async ValueTask<IAsyncDisposable> SubscribeAsync(
        string subject, MessageHandler handler, CancellationToken cancellationToken)
    {
        var subscription = new HandlerSubscription(connection.Nats, subject, handler);
        try
        {
            await connection.CallAsync(
                $"subscribe to {subject}",
                async token =>
                {
                    await connection.Nats.AddSubAsync(subscription, token);
                    return await connection.Nats.PingAsync(token).AsTask()
                        .WaitAsync(connection.Options.RequestTimeout, token);
                },
                cancellationToken);
            return subscription;
        }
        catch
        {
            await subscription.DisposeAsync();
            throw;
        }
    }

    private sealed class HelloServer(
        JetStreamConnection connection, Action<GatewayId, ReadOnlyMemory<byte>> handler,
        SynchronizationContext? context)
    {
        private int _waiting;

        public void Handle(string? replyTo, in ReadOnlySequence<byte>? headers, in ReadOnlySequence<byte> payload)
        {
            // Without these it is not from one of our ingresses.
            if (replyTo is null
                || !GatewayId.TryParse(
                    MessageHeaders.Read(connection.Nats, headers).Find(GatewayHeader), out var gateway)
                || Volatile.Read(ref _waiting) >= HellosWaitingMax)
            {
                return;
            }

            _ = ConfirmAsync(replyTo);
            var hello = payload.ToArray();
            if (context is null)
            {
                handler(gateway, hello);
                return;
            }

            Interlocked.Increment(ref _waiting);
            context.Post(
                _ =>
                {
                    Interlocked.Decrement(ref _waiting);
                    handler(gateway, hello);
                },
                null);
        }

        private async Task ConfirmAsync(string replyTo)
        {
            try
            {
                await connection.Nats.PublishAsync(
                    replyTo, default(ReadOnlyMemory<byte>), serializer: Raw, cancellationToken: connection.LinkLost);
            }
            catch (Exception e) when (JetStreamConnection.IsTrouble(e, CancellationToken.None))
            {
                // The link broke meanwhile: the ingress notices it too and refuses the hello, and the gateway repeats
                // it.
            }
        }
    }
}
