using Telemetry.Model.Identity;
using Telemetry.Model.Installations;
using Telemetry.Streams;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// The control channel in memory. Each message can be lost, doubled, or overtaken by a later one (as happens when a
/// session moves between ingresses or servers). A handler runs in the process life in which it was registered; after
/// that life ends it receives nothing.
/// </summary>
public sealed class SimulatedControlChannel : IControlChannel
{
    private readonly List<Listener> _helloServers;
    private readonly List<Listener> _downListeners;
    private readonly SimulatedControlChannel? _wire;
    private readonly InstallationFacts? _facts;
    private Func<string, bool> _loses = _ => false, _doubles = _ => false;
    private Func<string, TimeSpan> _delays = _ => TimeSpan.Zero;
    private Action<GatewayId, ReadOnlyMemory<byte>> _sentDown = (_, _) => { };
    private Action<object, GatewayId, ReadOnlyMemory<byte>> _helloHeard = (_, _, _) => { };

    public SimulatedControlChannel(Pump pump, Random random) =>
        (Calls, _helloServers, _downListeners) = (new SimulatedCalls(pump, random), [], []);

    private SimulatedControlChannel(SimulatedControlChannel wire, InstallationFacts facts) =>
        (Calls, _helloServers, _downListeners, _wire, _facts) =
            (wire.Calls, wire._helloServers, wire._downListeners, wire, facts);

    /// <summary>The connection to it; the control channel itself never answers with an error except these.</summary>
    public SimulatedCalls Calls { get; }

    /// <summary>Called once for each message and receiver: true when it never arrives.</summary>
    public Func<string, bool> Loses
    {
        get => _wire?.Loses ?? _loses;
        set => _loses = value;
    }

    /// <summary>Called once for each message and receiver: true when it arrives twice.</summary>
    public Func<string, bool> Doubles
    {
        get => _wire?.Doubles ?? _doubles;
        set => _doubles = value;
    }

    /// <summary>The extra delay of a message; later messages do not wait for it.</summary>
    public Func<string, TimeSpan> Delays
    {
        get => _wire?.Delays ?? _delays;
        set => _delays = value;
    }

    /// <summary>The same channel, used with these facts: hellos reach only owners with the same ones.</summary>
    public SimulatedControlChannel As(InstallationFacts facts) => new(_wire ?? this, facts);

    /// <summary>Called with each message that is sent down, whoever receives it. For judges.</summary>
    public Action<GatewayId, ReadOnlyMemory<byte>> SentDown
    {
        get => _wire?.SentDown ?? _sentDown;
        set => _sentDown = value;
    }

    /// <summary>
    /// Called when a process, identified by its <see cref="PumpScope"/>, has received a hello. For judges.
    /// </summary>
    public Action<object, GatewayId, ReadOnlyMemory<byte>> HelloHeard
    {
        get => _wire?.HelloHeard ?? _helloHeard;
        set => _helloHeard = value;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> SayHelloAsync(
        int partition, GatewayId gateway, ReadOnlyMemory<byte> hello, CancellationToken cancellationToken)
    {
        var copy = hello.ToArray();
        return await CallAsync(
            $"hello of {gateway}",
            () => Deliver(
                "hello", _helloServers, l => l.Partition == partition && l.Facts == _facts, gateway, copy) > 0,
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<IAsyncDisposable> ServeHellosAsync(
        int partition, Action<GatewayId, ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var scope = ((PumpContext)SynchronizationContext.Current!).Scope;
        var listener = new Listener(_helloServers, Heard) { Partition = partition, Facts = _facts };
        return await CallAsync($"serve hellos {partition}", () => Add(listener), cancellationToken);

        void Heard(GatewayId gateway, ReadOnlyMemory<byte> hello)
        {
            handler(gateway, hello);
            HelloHeard(scope, gateway, hello);
        }
    }

    /// <inheritdoc/>
    public async ValueTask SendDownAsync(
        GatewayId gateway, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var copy = message.ToArray();
        await CallAsync(
            $"down to {gateway}",
            () =>
            {
                SentDown(gateway, copy);
                return Deliver("down", _downListeners, l => l.Gateway == gateway, gateway, copy);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<IAsyncDisposable> ListenDownAsync(
        GatewayId gateway, Action<ReadOnlyMemory<byte>> handler, CancellationToken cancellationToken)
    {
        var listener = new Listener(_downListeners, (_, message) => handler(message)) { Gateway = gateway };
        return await CallAsync($"listen for {gateway}", () => Add(listener), cancellationToken);
    }

    private static Listener Add(Listener listener)
    {
        listener.Begin();
        return listener;
    }

    private Task<T> CallAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken) =>
        Calls.CallAsync(
            what, effect, _ => new FrameLogException($"{what}: the control channel is out of reach"),
            cancellationToken);

    private int Deliver(
        string what, List<Listener> listeners, Predicate<Listener> wants, GatewayId gateway, byte[] message)
    {
        listeners.RemoveAll(l => !l.IsAlive);
        var receivers = listeners.FindAll(wants);
        foreach (var receiver in receivers)
        {
            if (Loses(what))
            {
                continue;
            }

            for (var times = Doubles(what) ? 2 : 1; times > 0; times--)
            {
                Deliver(receiver, gateway, message, Delays(what));
            }
        }

        return receivers.Count;
    }

    private void Deliver(Listener receiver, GatewayId gateway, byte[] message, TimeSpan delay)
    {
        if (delay == TimeSpan.Zero)
        {
            receiver.Hear(gateway, message);
        }
        else
        {
            Calls.SendAfter(delay, () => receiver.Hear(gateway, message));
        }
    }

    /// <summary>A handler, in the process life that was running when it was registered.</summary>
    private sealed class Listener(List<Listener> all, Action<GatewayId, ReadOnlyMemory<byte>> handler)
        : IAsyncDisposable
    {
        private readonly PumpScope _scope = ((PumpContext)SynchronizationContext.Current!).Scope;
        private bool _disposed;

        public int Partition { get; init; }

        public InstallationFacts? Facts { get; init; }

        public GatewayId Gateway { get; init; }

        public bool IsAlive => _scope.IsAlive && !_disposed;

        public void Begin() => all.Add(this);

        public void Hear(GatewayId gateway, byte[] message) => _scope.Post(
            _ =>
            {
                if (!_disposed)
                {
                    handler(gateway, message);
                }
            },
            null);

        public ValueTask DisposeAsync()
        {
            _disposed = true;
            all.Remove(this);
            return ValueTask.CompletedTask;
        }
    }
}
