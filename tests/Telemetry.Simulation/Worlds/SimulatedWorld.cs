using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Identity;
using Telemetry.Processing;
using Telemetry.Processing.Windows;
using Telemetry.Simulation.Checking.Online;
using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Planted;
using Telemetry.Simulation.Relays;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// Gateways, ingresses, processors, relays, log, database and Kafka of one run: all code between them is the real one,
/// all that they stand on is simulated.
/// </summary>
internal sealed class SimulatedWorld
{
    public const int Partitions = 2;

    public SimulatedWorld(int seed, FaultProfile mix, Parts parts, Pump pump)
    {
        Mix = mix;
        Pump = pump;
        Random = new Random(seed);
        Trace = new Trace(pump.Clock);
        Faults = new FaultChances(mix, Child(), Trace);
        Log = new SimulatedFrameLog(pump, Child()) { DuplicateWindow = mix.DuplicateWindow };
        ControlChannel = new SimulatedControlChannel(pump, Child());
        Store = new SimulatedStore(pump, Child());
        Kafka = new SimulatedAlertSink(pump, Child());
        Judge = new OnlineJudge(this);
        Backups = new Backups(this);
        Ingresses = [.. Enumerable.Range(0, 1 + Random.Next(2)).Select(i =>
            new IngressMachine($"ingress {i}", pump, Child(), Trace, Faults, Log, ControlChannel, Partitions))];
        ProcessorMachines =
            [.. Enumerable.Range(0, mix.Processors).Select(i => ProcessorMachine($"processor {i}", parts))];
        RelayMachines = [.. Enumerable.Range(0, 2).Select(i => RelayMachine.Make(
            $"relay {i}", pump, Trace, Child(), Store, Kafka, RelayParts.Ordinary))];
        Gateways = [.. Enumerable.Range(0, 2 + Random.Next(2)).Select(i => Gateway(GatewayId.Parse($"gw-{i}"), parts))];
        Clocks = new Clocks(this, Child());
        Strangers = new Strangers(this, Child());
        _parts = parts;
        FaultWiring.Connect(this);
    }

    private readonly Parts _parts;
    private readonly List<GatewayMachine> _twins = [];

    public FaultProfile Mix { get; }

    public Pump Pump { get; }

    public Random Random { get; }

    public Trace Trace { get; }

    public FaultChances Faults { get; }

    public SimulatedFrameLog Log { get; }

    public SimulatedControlChannel ControlChannel { get; }

    public SimulatedStore Store { get; }

    public SimulatedAlertSink Kafka { get; }

    public OnlineJudge Judge { get; }

    public Backups Backups { get; }

    public Clocks Clocks { get; }

    public Strangers Strangers { get; }

    public IReadOnlyList<GatewayMachine> Gateways { get; }

    public IReadOnlyList<IngressMachine> Ingresses { get; }

    public IReadOnlyList<Machine> ProcessorMachines { get; }

    public IReadOnlyList<Machine> RelayMachines { get; }

    /// <summary>Second lives of gateways: copies of their outboxes that run, or ran, beside them.</summary>
    public IReadOnlyList<GatewayMachine> Twins => _twins;

    public IEnumerable<Machine> Machines =>
        [.. Gateways.Select(
            g => g.Machine), .. Ingresses.Select(i => i.Machine), .. ProcessorMachines, .. RelayMachines];

    /// <summary>True once the agents were switched off for good.</summary>
    public bool AgentsAreOff { get; private set; }

    public TimeSpan Now => Pump.Clock.Elapsed;

    /// <summary>A copy of a gateway's outbox comes to life beside it, under the same name.</summary>
    public GatewayMachine Clone(GatewayMachine gateway)
    {
        var twin = new GatewayMachine(
            gateway.Id, Pump, Child(), Trace, Faults, _parts, gateway.Link, Judge, Mix, gateway.Generator.Journal);
        twin.Disk.Restore(gateway.Disk.Snapshot());
        twin.Machine.ClockOffset = gateway.Machine.ClockOffset;
        _twins.Add(twin);
        return twin;
    }

    /// <summary>No further reading comes.</summary>
    public void StopReadings()
    {
        Trace.Say("no further reading comes");
        foreach (var gateway in Gateways)
        {
            gateway.Generator.Goes = false;
        }
    }

    /// <summary>The agents stop cleanly and stay off.</summary>
    public void SwitchAgentsOff()
    {
        AgentsAreOff = true;
        foreach (var gateway in Gateways)
        {
            gateway.Machine.SwitchOff();
        }
    }

    private Random Child() => new(Random.Next());

    private Machine ProcessorMachine(string name, Parts parts)
    {
        var random = Child();
        var options = new ProcessorOptions
        {
            Partitions = Partitions,
            Workers = 1 + random.Next(Partitions),
            Owner = name,
            Alerts = WorldRules.Options,
            // So few that gateways take several transactions.
            Windows = new WindowOptions { RebuildReadingsMax = 50 },
        };
        return new Machine(name, Pump, Trace, random, async (life, stop) =>
        {
            var facts = await InstallationSteps.OfStoreAsync(Store, Log, Partitions, random, life.Time, stop);
            var workers = Enumerable.Range(0, options.Workers).Select(worker => new Processor(
                parts.Store(Store), parts.ProcessorLog(Log.As(facts)), ControlChannel.As(facts),
                options with { Worker = worker }, life.Time, new Random(random.Next()),
                NullLogger.Instance).RunAsync(stop)).ToArray();
            await await Task.WhenAny(workers);
            await Task.WhenAll(workers);
        });
    }

    private GatewayMachine Gateway(GatewayId id, Parts parts)
    {
        var random = Child();
        var link = new SimulatedLink(
            Pump, random, id, () => [.. Ingresses.Where(i => i.Peer is not null).Select(i => i.Peer!)])
        {
            HasBroker = Mix.HasBroker,
        };
        return new GatewayMachine(id, Pump, random, Trace, Faults, parts, link, Judge, Mix, new Journal());
    }
}
