using System.Threading.Channels;
using Telemetry.Edge.Uplink;
using Telemetry.Runtime;

namespace Telemetry.Simulation.Planted;

/// <summary>A link that changes what passes: the part in which mistakes of the agent's sending are planted.</summary>
internal abstract class AlteredLink(IUplinkConnector link) : IUplinkConnector
{
    private const int DownMax = 256;

    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new Connection(this, await link.ConnectAsync(cancellationToken));

    /// <summary>Passes a publish on.</summary>
    protected abstract ValueTask<PublishOutcome> PublishAsync(
        Connection connection, string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>What the agent gets of a message that comes down.</summary>
    protected virtual ReadOnlyMemory<byte> Down(ReadOnlyMemory<byte> message) => message;

    /// <summary>True for a topic that carries frames and schemas.</summary>
    protected static bool IsFrames(string topic) => !topic.EndsWith("/hello", StringComparison.Ordinal);

    protected sealed class Connection : IUplinkConnection
    {
        private readonly AlteredLink _link;
        private readonly Channel<ReadOnlyMemory<byte>> _down = Channels.Bounded<ReadOnlyMemory<byte>>(
            DownMax, singleReader: false);

        public Connection(AlteredLink link, IUplinkConnection inner)
        {
            (_link, Inner) = (link, inner);
            _ = BringDownAsync();
        }

        /// <summary>The connection as it is.</summary>
        public IUplinkConnection Inner { get; }

        public int InFlightMax => Inner.InFlightMax;

        public ChannelReader<ReadOnlyMemory<byte>> Down => _down.Reader;

        public Task Closed => Inner.Closed;

        /// <summary>Lets the agent get a message that nobody sent.</summary>
        public void Forge(ReadOnlyMemory<byte> message) => _down.Writer.TryWrite(message);

        public ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
            _link.PublishAsync(this, topic, payload, cancellationToken);

        public ValueTask DisposeAsync() => Inner.DisposeAsync();

        private async Task BringDownAsync()
        {
            await foreach (var message in Inner.Down.ReadAllAsync())
            {
                _down.Writer.TryWrite(_link.Down(message));
            }

            _down.Writer.TryComplete();
        }
    }
}
