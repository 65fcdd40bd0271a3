using System.Threading.Channels;
using Telemetry.Edge.Uplink;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// A link on the simulated clock that carries few bytes a second over a long way, and breaks nothing. What is published
/// stands in line, as in the sockets of a TCP connection, is carried byte by byte, and arrives one way's time later;
/// PUBACKs and what goes down come back the same way. Each message takes the bytes that MQTT and TCP add to it.
/// </summary>
/// <param name="clock">The simulated clock.</param>
/// <param name="arrived">The server: takes a topic and a payload; its result is the PUBACK.</param>
public sealed class ThinLink(
    TimeProvider clock, Func<string, ReadOnlyMemory<byte>, PublishOutcome> arrived) : IUplinkConnector
{
    private const int PublishBytes = 12, PubAckBytes = 40, SegmentBytes = 1448, SegmentHeadBytes = 40;

    private readonly TimeProvider _clock = clock;
    private readonly Func<string, ReadOnlyMemory<byte>, PublishOutcome> _arrived = arrived;
    private Connection? _current;

    /// <summary>What it carries a second, each direction.</summary>
    public long BytesPerSecond { get; set; } = 16_000;

    /// <summary>How long a byte is under way, each direction.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(150);

    /// <summary>How many publishes may wait for their PUBACK.</summary>
    public int InFlightMax { get; set; } = 32;

    /// <summary>True while no connection can be had; <see cref="Cut"/> and <see cref="Mend"/> change it.</summary>
    public bool IsCut { get; private set; }

    /// <summary>When the last connection was made; null before the first.</summary>
    public DateTimeOffset? ConnectedAt { get; private set; }

    /// <inheritdoc/>
    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        // TCP, CONNECT and SUBSCRIBE are a round trip each.
        await Task.Delay(Delay * 6, _clock, cancellationToken);
        if (IsCut)
        {
            throw new UplinkException("the link is cut", isTransient: true);
        }

        ConnectedAt = _clock.GetUtcNow();
        return _current = new Connection(this);
    }

    /// <summary>The cable is out until <see cref="Mend"/>; what was under way is lost.</summary>
    public void Cut()
    {
        IsCut = true;
        _current?.Break();
    }

    /// <summary>The cable is in again.</summary>
    public void Mend() => IsCut = false;

    /// <summary>Sends a message down to the gateway.</summary>
    public void SendDown(ReadOnlyMemory<byte> message) => _current?.Down(message.ToArray());

    private sealed class Connection(ThinLink link) : IUplinkConnection
    {
        // The pump waits for nothing that goes on elsewhere.
        private readonly Channel<ReadOnlyMemory<byte>> _down = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(1024) { AllowSynchronousContinuations = true });

        private readonly TaskCompletionSource _closed = new();
        private readonly HashSet<TaskCompletionSource<PublishOutcome>> _waiting = [];
        private DateTimeOffset _upFree;
        private DateTimeOffset _downFree;

        public int InFlightMax => link.InFlightMax;

        ChannelReader<ReadOnlyMemory<byte>> IUplinkConnection.Down => _down.Reader;

        public Task Closed => _closed.Task;

        public async ValueTask<PublishOutcome> PublishAsync(
            string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            if (_closed.Task.IsCompleted)
            {
                throw new UplinkException("the connection is closed", isTransient: true);
            }

            var acked = new TaskCompletionSource<PublishOutcome>();
            _waiting.Add(acked);
            var copy = payload.ToArray();
            var bytes = OnTheWire(PublishBytes + topic.Length + copy.Length);
            _ = AfterAsync(Carry(ref _upFree, bytes), () => Arrive(topic, copy, acked));
            return await acked.Task.WaitAsync(cancellationToken);
        }

        public void Down(byte[] message) => _ = AfterAsync(
            Carry(ref _downFree, OnTheWire(PublishBytes + message.Length)), () => _down.Writer.TryWrite(message));

        public ValueTask DisposeAsync()
        {
            Break();
            return ValueTask.CompletedTask;
        }

        public void Break()
        {
            if (!_closed.TrySetResult())
            {
                return;
            }

            foreach (var acked in _waiting)
            {
                acked.TrySetException(new UplinkException("no PUBACK: the link was cut", isTransient: true));
            }

            _down.Writer.TryComplete();
        }

        private static int OnTheWire(int bytes) =>
            bytes + (((bytes + SegmentBytes - 1) / SegmentBytes) * SegmentHeadBytes);

        private void Arrive(string topic, byte[] payload, TaskCompletionSource<PublishOutcome> acked)
        {
            var outcome = link._arrived(topic, payload);
            _ = AfterAsync(Carry(ref _downFree, PubAckBytes), () =>
            {
                _waiting.Remove(acked);
                acked.TrySetResult(outcome);
            });
        }

        /// <summary>How long until the last of these bytes is there, behind all that was handed over before.</summary>
        private TimeSpan Carry(ref DateTimeOffset free, int bytes)
        {
            var now = link._clock.GetUtcNow();
            free = (free > now ? free : now) + TimeSpan.FromSeconds((double)bytes / link.BytesPerSecond);
            return free - now + link.Delay;
        }

        private async Task AfterAsync(TimeSpan time, Action then)
        {
            await Task.Delay(time, link._clock, CancellationToken.None);
            if (!_closed.Task.IsCompleted)
            {
                then();
            }
        }
    }
}
