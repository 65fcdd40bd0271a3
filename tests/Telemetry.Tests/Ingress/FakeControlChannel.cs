using Telemetry.Model.Identity;
using Telemetry.Streams;

namespace Telemetry.Tests.Ingress;

/// <summary>A control channel with or without an owner, and with the listeners that sessions made.</summary>
internal sealed class FakeControlChannel : IControlChannel
{
    private readonly List<(GatewayId Gateway, Action<ReadOnlyMemory<byte>> Handler)> _listeners = [];

    public List<(int Partition, GatewayId Gateway, byte[] Hello)> Hellos { get; } = [];

    public bool HasOwner { get; set; } = true;

    public FrameLogException? Broken { get; set; }

    public int Listeners => _listeners.Count;

    public ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken)
    {
        if (Broken is not null)
        {
            throw Broken;
        }

        if (HasOwner)
        {
            Hellos.Add((partition, gateway, hello.ToArray()));
        }

        return new(HasOwner);
    }

    public ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask SendDownAsync(GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var copy = message.ToArray();
        foreach (var (listener, handler) in _listeners.ToArray())
        {
            if (listener == gateway)
            {
                handler(copy);
            }
        }

        copy.AsSpan().Fill(0xee);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var listener = (gateway, handler);
        _listeners.Add(listener);
        return new(new Listener(() => _listeners.Remove(listener)));
    }

    private sealed class Listener(Action end) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            end();
            return ValueTask.CompletedTask;
        }
    }
}
