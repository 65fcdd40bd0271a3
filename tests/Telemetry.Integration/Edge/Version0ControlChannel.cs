using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Streams;

namespace Telemetry.Integration.Edge;

/// <summary>
/// Down it says what an owner says that reads frames of version 0 alone: its answers state no version.
/// </summary>
internal sealed class Version0ControlChannel(IControlChannel control) : IControlChannel
{
    private int _answers;

    /// <summary>The answers out of which a version was taken.</summary>
    public int Answers => _answers;

    public ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken) =>
        control.SayHelloAsync(partition, gateway, hello, cancellationToken);

    public ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
        control.ServeHellosAsync(partition, handler, cancellationToken);

    public ValueTask SendDownAsync(GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if ((DownKind)message.Span[0] == DownKind.StoredAck
            && StoredAck.Read(message.Span) is { FrameVersion: > 0 } ack)
        {
            Interlocked.Increment(ref _answers);
            var writer = new WireWriter();
            (ack with { FrameVersion = 0 }).Write(writer);
            message = writer.ToArray();
        }

        return control.SendDownAsync(gateway, message, cancellationToken);
    }

    public ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
        control.ListenDownAsync(gateway, handler, cancellationToken);
}
