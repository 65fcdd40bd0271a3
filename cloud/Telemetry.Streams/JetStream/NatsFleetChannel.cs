using System.Buffers;
using NATS.Client.Core;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// The fleet's messages over core NATS. Handlers run on the connection's receive loop. Processes with different facts
/// of the installation never hear each other, because their subjects differ.
/// </summary>
public sealed class NatsFleetChannel(JetStreamConnection connection, InstallationFacts facts) : IFleetChannel
{
    private const string Group = "recorders";

    private static readonly NatsRawSerializer<ReadOnlyMemory<byte>> Raw =
        NatsRawSerializer<ReadOnlyMemory<byte>>.Default;

    public ValueTask ReportPresenceAsync(ReadOnlyMemory<byte> report, CancellationToken cancellationToken) =>
        PublishAsync(StreamNames.PresenceSubject(facts.Generation, facts.Partitions), report, cancellationToken);

    public ValueTask<IAsyncDisposable> ListenPresenceAsync(
        bool shared, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
        SubscribeAsync(
            StreamNames.PresenceSubject(facts.Generation, facts.Partitions), shared ? Group : null, handler,
            cancellationToken);

    public ValueTask PublishChangesAsync(
        int partition, ReadOnlyMemory<byte> changes, CancellationToken cancellationToken) =>
        PublishAsync(StreamNames.FleetSubject(facts.Generation, facts.Partitions, $"{partition}"), changes,
            cancellationToken);

    public ValueTask<IAsyncDisposable> ListenChangesAsync(
        Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
        SubscribeAsync(
            StreamNames.FleetSubject(facts.Generation, facts.Partitions, "*"), null, handler, cancellationToken);

    private async ValueTask PublishAsync(
        string subject, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await connection.CallAsync(
            $"publish on {subject}",
            async token =>
            {
                await connection.Nats.PublishAsync(subject, message, serializer: Raw, cancellationToken: token);
                return true;
            },
            cancellationToken);

    /// <summary>Subscribes and waits until the server has registered it.</summary>
    private async ValueTask<IAsyncDisposable> SubscribeAsync(
        string subject, string? group, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var subscription = new HandlerSubscription(
            connection.Nats, subject,
            (string? _, in ReadOnlySequence<byte>? _, in ReadOnlySequence<byte> payload) => handler(payload.ToArray()),
            group);
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
}
