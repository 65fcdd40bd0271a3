using Telemetry.Model.Identity;

namespace Telemetry.Streams;

/// <summary>
/// The unrecorded messages between ingress and owner (core NATS, or simulated): hellos up, answers and stored-acks
/// down. A lost one is healed by the next hello.
/// </summary>
public interface IControlChannel
{
    /// <summary>
    /// Hands a hello to the partition's owner; false when there is none (the agent repeats it with jitter).
    /// </summary>
    ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken);

    /// <summary>Serves a partition's hellos until disposed. The handler must copy what it keeps and not wait.</summary>
    ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);

    /// <summary>Sends down to whichever ingress holds the gateway's session; nobody listening is no error.</summary>
    ValueTask SendDownAsync(GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken);

    /// <summary>
    /// Listens for what goes down to a gateway until disposed. The handler must copy what it keeps and not wait.
    /// </summary>
    ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken);
}
