using System.Threading.Channels;
using Telemetry.Edge.Uplink;

namespace Telemetry.Simulation.Worlds;

/// <summary>Shows what an agent says and takes, at the moment when it does.</summary>
internal sealed class WatchedLink(
    IUplinkConnector link, Action<string, ReadOnlyMemory<byte>> says,
    Action<ReadOnlyMemory<byte>> takes) : IUplinkConnector
{
    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new Connection(await link.ConnectAsync(cancellationToken), says, takes);

    private sealed class Connection(
        IUplinkConnection connection, Action<string, ReadOnlyMemory<byte>> says, Action<ReadOnlyMemory<byte>> takes)
        : IUplinkConnection
    {
        public int InFlightMax => connection.InFlightMax;

        public ChannelReader<ReadOnlyMemory<byte>> Down { get; } = new Reader(connection.Down, takes);

        public Task Closed => connection.Closed;

        public ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            says(topic, payload);
            return connection.PublishAsync(topic, payload, cancellationToken);
        }

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }

    private sealed class Reader(ChannelReader<ReadOnlyMemory<byte>> reader, Action<ReadOnlyMemory<byte>> takes)
        : ChannelReader<ReadOnlyMemory<byte>>
    {
        public override Task Completion => reader.Completion;

        public override bool TryRead(out ReadOnlyMemory<byte> item)
        {
            var read = reader.TryRead(out item);
            if (read)
            {
                takes(item);
            }

            return read;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
            reader.WaitToReadAsync(cancellationToken);
    }
}
