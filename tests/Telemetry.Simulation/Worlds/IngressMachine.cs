using Telemetry.Cloud.Hosting;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Ingress;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Simulation.Faults;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>An ingress process, and how links reach the one that runs now.</summary>
internal sealed class IngressMachine
{
    private const ulong PoisonedOneIn = 12;

    private readonly SimulatedFrameLog _log;
    private readonly SimulatedControlChannel _control;
    private readonly int _partitions;
    private readonly FaultChances _faults;

    public IngressMachine(
        string name, Pump pump, Random random, Trace trace, FaultChances faults, SimulatedFrameLog log,
        SimulatedControlChannel control, int partitions)
    {
        _faults = faults;
        (_log, _control, _partitions) = (log, control, partitions);
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
        var facts = await InstallationSteps.OfLogAsync(_log, _partitions, life.Time, stop);
        var log = _log.As(facts);
        var core = new IngressCore(
            log, _control.As(facts), new IngressOptions { Partitions = _partitions }, life.Time, new IngressCounters());
        Peer = new SimulatedIngress(
            life,
            async (gateway, topic, payload, cancellationToken) =>
                await TakeAsync(core, gateway, topic, payload, cancellationToken),
            async (gateway, send, cancellationToken) => await core.OpenSessionAsync(gateway, send, cancellationToken));
        await new InstallationWatch(log, reason => core.Closed = reason, life.Time).RunAsync(stop);
    }

    private async Task<PublishOutcome> TakeAsync(
        IngressCore core, GatewayId gateway, string topic, ReadOnlyMemory<byte> payload,
        CancellationToken cancellationToken)
    {
        if (topic != MqttTopics.Hello(gateway) && Refuses(gateway, payload.Span))
        {
            return new PublishOutcome(FrameSender.PayloadFormatInvalid, null, "not readable in this world");
        }

        var verdict = await core.PublishedAsync(gateway, topic, payload, cancellationToken);
        return new PublishOutcome(verdict.ReasonCode, verdict.ReceiptProperty, verdict.Reason);
    }

    // A frame that is refused once is mostly refused again: so it comes to its end.
    private bool Refuses(GatewayId gateway, ReadOnlySpan<byte> payload)
    {
        FrameEnvelope.Read(payload, out var offset);
        if (!FrameReader.TryKind(payload[offset..], out var kind) || kind != FrameKind.Readings)
        {
            return false;
        }

        var header = FrameReader.Header(payload[offset..], out var checksum);
        return checksum % PoisonedOneIn == 0
            && (_faults.IsOn(Fault.FrameRefused) || _faults.GivenUp.Contains((gateway, checksum)))
            && _faults.Struck(Fault.FrameRefused, $"{gateway} {header.Key}");
    }
}
