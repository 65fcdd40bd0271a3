using Telemetry.Cloud.Ingress;
using Telemetry.Cloud.Log;
using Telemetry.Edge.Uplink;
using Telemetry.Model;
using Telemetry.Testing.Simulated;
using Telemetry.Testing.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>An ingress process, and how links reach the one that runs now.</summary>
internal sealed class IngressMachine
{
    private readonly ILog _log;
    private readonly IBus _bus;
    private readonly int _partitions;

    public IngressMachine(string name, Pump pump, Random random, Trace trace, ILog log, IBus bus, int partitions)
    {
        (_log, _bus, _partitions) = (log, bus, partitions);
        Machine = new Machine(name, pump, trace, random, RunAsync, () => Peer = null)
        {
            Allows = e => e is OperationCanceledException,
        };
    }

    public Machine Machine { get; }

    /// <summary>Where links bring their messages; null while no process runs.</summary>
    public SimulatedIngress? Peer { get; private set; }

    private async Task RunAsync(ProcessLife life, CancellationToken stop)
    {
        var core = new IngressCore(
            _log, _bus, new IngressOptions { Partitions = _partitions }, life.Time, new IngressCounters());
        Peer = new SimulatedIngress(
            life,
            async (gateway, topic, payload, cancellationToken) =>
                await TakeAsync(core, gateway, topic, payload, cancellationToken),
            async (gateway, send, cancellationToken) => await core.OpenSessionAsync(gateway, send, cancellationToken));
        await Task.Delay(Timeout.InfiniteTimeSpan, life.Time, stop);
    }

    private static async Task<PublishOutcome> TakeAsync(
        IngressCore core, GatewayId gateway, string topic, ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken)
    {
        var verdict = await core.PublishedAsync(gateway, topic, payload, cancellationToken);
        return new PublishOutcome(verdict.ReasonCode, verdict.ReceiptProperty, verdict.Reason);
    }
}
