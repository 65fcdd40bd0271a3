using System.Threading.Channels;
using Telemetry.Edge.Uplink;
using Telemetry.Runtime;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// One connection of a <see cref="SimulatedLink"/>. Publishes and PUBACKs keep their order unless a fault says
/// otherwise. What was sent can arrive after the connection is broken.
/// </summary>
internal sealed class SimulatedConnection : IUplinkConnection
{
    private const int DownMax = 64;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly SimulatedLink _link;
    private readonly SimulatedIngress _ingress;
    private readonly SimulatedBroker? _broker;
    private readonly HashSet<TaskCompletionSource<PublishOutcome>> _waiting = [];
    private readonly Channel<ReadOnlyMemory<byte>> _down = Channels.Bounded<ReadOnlyMemory<byte>>(
        DownMax, singleReader: false);
    private readonly TaskCompletionSource _closed = new();
    private DateTimeOffset _upFree;
    private DateTimeOffset _downFree;

    public SimulatedConnection(SimulatedLink link, SimulatedIngress ingress)
    {
        _link = link;
        _ingress = ingress;
        _broker = link.HasBroker ? new SimulatedBroker(link, SendDown) : null;
        _ = BreakWhenIngressDiesAsync();
    }

    /// <summary>The session at the ingress, once it is open.</summary>
    public Task<IAsyncDisposable>? Session { get; set; }

    /// <summary>The process at its other end.</summary>
    public ProcessLife Ingress => _ingress.Life;

    /// <inheritdoc/>
    public int InFlightMax => _link.InFlightMax;

    /// <inheritdoc/>
    public ChannelReader<ReadOnlyMemory<byte>> Down => _down.Reader;

    /// <inheritdoc/>
    public Task Closed => _closed.Task;

    /// <inheritdoc/>
    public async ValueTask<PublishOutcome> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (_closed.Task.IsCompleted)
        {
            throw new UplinkException("the connection is closed", isTransient: true);
        }

        var acked = new TaskCompletionSource<PublishOutcome>();
        _waiting.Add(acked);
        Send(new Publish(topic, payload.ToArray(), acked));
        if (_link.Strikes(LinkFault.Disconnects))
        {
            _link.Wire.Send(() => Break("the network broke"));
        }

        return await acked.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Break("closed by the agent");
        return ValueTask.CompletedTask;
    }

    /// <summary>Brings a message down; runs in the life of the ingress. It always takes it.</summary>
    public bool SendDown(ReadOnlyMemory<byte> message)
    {
        var copy = message.ToArray();
        if (_link.Strikes(LinkFault.LosesDown))
        {
            return true;
        }

        if (_link.Strikes(LinkFault.DelaysDown))
        {
            _link.Wire.SendAfter(Late(), () => ArriveDown(copy));
            return true;
        }

        _link.Wire.SendAfter(InOrder(ref _downFree), () => ArriveDown(copy));
        if (_link.Strikes(LinkFault.DoublesDown))
        {
            _link.Wire.SendAfter(Late(), () => ArriveDown(copy));
        }

        return true;
    }

    public void Break(string why)
    {
        if (!_closed.TrySetResult())
        {
            return;
        }

        foreach (var acked in _waiting)
        {
            acked.TrySetException(new UplinkException($"no PUBACK: {why}", isTransient: true));
        }

        _waiting.Clear();
        _down.Writer.TryComplete();
        _ = _ingress.Life.Run(CloseSessionAsync);
    }

    private void Send(Publish publish)
    {
        if (_link.Strikes(LinkFault.LosesMessage))
        {
            _link.Wire.SendAfter(Late(), () => Break("nothing came back"));
            return;
        }

        if (_link.Strikes(LinkFault.DelaysMessage))
        {
            _link.Wire.SendAfter(Late(), () => Arrive(publish));
            _link.Wire.SendAfter(Late(), () => Break("nothing came back"));
            return;
        }

        var way = _link.Strikes(LinkFault.ReordersMessage) ? Soon() : InOrder(ref _upFree);
        _link.Wire.SendAfter(way, () => Arrive(publish));
        if (_link.Strikes(LinkFault.DoublesMessage))
        {
            _link.Wire.SendAfter(Late(), () => Arrive(publish));
        }
    }

    private void Arrive(Publish publish)
    {
        if (_broker is null)
        {
            _ = _ingress.Life.Run(() => TakeAsync(publish));
            return;
        }

        _broker.Take(publish.Topic, publish.Payload);
        SendAck(publish, new PublishOutcome(0, null, null));
    }

    // Runs in the life of the ingress.
    private async Task TakeAsync(Publish publish)
    {
        try
        {
            var outcome = await _ingress.Published(
                _link.Gateway, publish.Topic, publish.Payload, CancellationToken.None);
            SendAck(publish, _link.Strikes(LinkFault.LosesReceipt) ? outcome with { Receipt = null } : outcome);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Break($"the ingress closed it: {e.Message}");
        }
    }

    private void SendAck(Publish publish, PublishOutcome outcome)
    {
        if (_link.Strikes(LinkFault.LosesAck))
        {
            _link.Wire.SendAfter(Late(), () => Break("nothing came back"));
            return;
        }

        _link.Wire.SendAfter(InOrder(ref _downFree), () =>
        {
            if (_waiting.Remove(publish.Acked))
            {
                publish.Acked.TrySetResult(outcome);
            }
        });
    }

    private void ArriveDown(byte[] message)
    {
        while (!_closed.Task.IsCompleted && !_down.Writer.TryWrite(message))
        {
            _down.Reader.TryRead(out _);
        }
    }

    private async Task CloseSessionAsync()
    {
        if (Session is not null)
        {
            await using (await Session)
            {
                // Only closing it is wanted.
            }
        }
    }

    private async Task BreakWhenIngressDiesAsync()
    {
        await Task.WhenAny(_ingress.Life.Died, Closed);
        Break("the ingress died");
    }

    /// <summary>A way's time, and never before what was sent earlier.</summary>
    private TimeSpan InOrder(ref DateTimeOffset free)
    {
        var now = _link.Wire.Time.GetUtcNow();
        var arrival = now + _link.Wire.Latency();
        free = arrival > free ? arrival : free + Tick;
        return free - now;
    }

    private TimeSpan Soon() => _link.Wire.Latency() * (1 + _link.Random.Next(20));

    private TimeSpan Late() => TimeSpan.FromMilliseconds(_link.Random.Next(50, 15_000));

    private sealed record Publish(string Topic, byte[] Payload, TaskCompletionSource<PublishOutcome> Acked);
}
