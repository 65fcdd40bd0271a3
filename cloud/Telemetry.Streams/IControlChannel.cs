using Telemetry.Model.Identity;

namespace Telemetry.Streams;

/// <summary>
/// The messages between ingress and owner that are not stored (core NATS, or simulated): hellos up, answers and
/// stored-acks down. The next hello makes up for a lost message.
/// </summary>
public interface IControlChannel
{
    /// <summary>
    /// Sends a hello to the partition's owner; false when there is none (the agent repeats the hello with jitter).
    /// </summary>
    ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken);

    /// <summary>
    /// Receives a partition's hellos until disposed. The handler must copy what it keeps, and must not wait.
    /// </summary>
    ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);

    /// <summary>
    /// Sends a message to the ingress that has the gateway's session; if no ingress listens, nothing happens.
    /// </summary>
    ValueTask SendDownAsync(GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>
    /// Receives the messages for a gateway until disposed. The handler must copy what it keeps, and must not wait.
    /// </summary>
    ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);
}
