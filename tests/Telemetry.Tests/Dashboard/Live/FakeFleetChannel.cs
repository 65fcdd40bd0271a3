using Telemetry.Streams;

namespace Telemetry.Tests.Dashboard.Live;

/// <summary>A channel whose messages the test makes.</summary>
internal sealed class FakeFleetChannel : IFleetChannel, IAsyncDisposable
{
    public List<string> Done { get; } = [];

    public Action<ReadOnlyMemory<byte>> Changes { get; private set; } = _ => { };

    public Action<ReadOnlyMemory<byte>> Presence { get; private set; } = _ => { };

    /// <summary>What owners published, by partition.</summary>
    public List<(int Partition, byte[] Bytes)> Published { get; } = [];

    public bool Fails { get; set; }

    public ValueTask ReportPresenceAsync(ReadOnlyMemory<byte> report, CancellationToken cancellationToken) => default;

    public ValueTask<IAsyncDisposable> ListenPresenceAsync(
        bool shared, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        Done.Add("listen");
        Presence = handler;
        return new(this);
    }

    public ValueTask PublishChangesAsync(
        int partition, ReadOnlyMemory<byte> changes, CancellationToken cancellationToken)
    {
        if (Fails)
        {
            throw new FrameLogException("away");
        }

        Published.Add((partition, changes.ToArray()));
        return default;
    }

    public ValueTask<IAsyncDisposable> ListenChangesAsync(
        Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        Done.Add("listen");
        Changes = handler;
        return new(this);
    }

    public ValueTask DisposeAsync() => default;
}
