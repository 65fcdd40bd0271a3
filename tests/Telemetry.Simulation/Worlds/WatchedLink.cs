using System.Threading.Channels;
using Telemetry.Edge.Uplink;

namespace Telemetry.Simulation.Worlds;

/// <summary>Shows what an agent says and takes, at the moment when it does.</summary>
internal sealed class WatchedLink(
    IUplinkConnector link, Action<string, ReadOnlyMemory<byte>> says,
    Action<ReadOnlyMemory<byte>> takes, Action took) : IUplinkConnector
{
    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new Connection(await link.ConnectAsync(cancellationToken), says, takes, took);

    private sealed class Connection(
        IUplinkConnection connection, Action<string, ReadOnlyMemory<byte>> says, Action<ReadOnlyMemory<byte>> takes,
        Action took) : IUplinkConnection
    {
        public int InFlightMax => connection.InFlightMax;

        public ChannelReader<ReadOnlyMemory<byte>> Down { get; } = new Reader(connection.Down, takes, took);

        public Task Closed => connection.Closed;

        public ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            says(topic, payload);
            return connection.PublishAsync(topic, payload, cancellationToken);
        }

        public ValueTask DisposeAsync() => connection.DisposeAsync();
    }

    // Whoever asks for the next message has taken the one before.
    private sealed class Reader(
        ChannelReader<ReadOnlyMemory<byte>> reader, Action<ReadOnlyMemory<byte>> takes, Action took)
        : ChannelReader<ReadOnlyMemory<byte>>
    {
        public override Task Completion => reader.Completion;

        public override bool TryRead(out ReadOnlyMemory<byte> item)
        {
            took();
            var read = reader.TryRead(out item);
            if (read)
            {
                takes(item);
            }

            return read;
        }

        public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
        {
            took();
            return reader.WaitToReadAsync(cancellationToken);
        }
    }
}
