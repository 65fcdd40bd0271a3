using Telemetry.Simulation.Faults;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Worlds;

/// <summary>Connects the chances of a world to what its simulated ports ask.</summary>
internal static class FaultWiring
{
    public static void Connect(SimulatedWorld world)
    {
        var faults = world.Faults;
        foreach (var gateway in world.Gateways)
        {
            gateway.Link.Strikes = fault =>
                Of(fault, world.Mix.HasBroker) is { } mapped && faults.Strikes(mapped, gateway.Id.Value);
        }

        world.Store.Freezes = new FrozenTransactions(world, new Random(world.Random.Next())).Freezes;
        world.Store.Refuses = commit => RefusedReadingLedger.RefusalOf(world.Mix, commit);
        world.ControlChannel.Loses = what => faults.Strikes(Fault.ControlMessageLost, what);
        world.ControlChannel.Doubles = what => faults.Strikes(Fault.ControlMessageDoubled, what);
        world.ControlChannel.Delays = what => faults.Strikes(Fault.ControlMessageDelayed, what)
            ? TimeSpan.FromMilliseconds(world.Random.Next(10, 12_000))
            : TimeSpan.Zero;

        world.Log.Calls.LosesRequest = what =>
        {
            world.Trace.Say(what);
            return faults.Strikes(Fault.LogCallFailed, what);
        };
        world.Log.Calls.LosesAnswer = what => faults.Strikes(Fault.LogAnswerLost, what);
        world.Store.Calls.LosesRequest = what =>
        {
            world.Trace.Say(what);
            return faults.Strikes(what == "commit" ? Fault.TransactionFailedBefore : Fault.DatabaseCallFailed, what);
        };
        world.Store.Calls.LosesAnswer = what => what == "commit"
            ? StrikesAfterCommit(world)
            : faults.Strikes(Fault.DatabaseCallFailed, what);

        world.Kafka.Calls.LosesRequest = what => faults.Strikes(Fault.KafkaCallFailed, what);
        world.Kafka.Calls.LosesAnswer = what => faults.Strikes(Fault.KafkaCallFailed, what);
        world.Kafka.RefusesCommit = () => faults.Strikes(Fault.KafkaTransactionRefused, "commit");
    }

    private static bool StrikesAfterCommit(SimulatedWorld world)
    {
        if (world.Faults.Strikes(Fault.ProcessorCrashAtCommit, "a transaction committed and nobody was told"))
        {
            foreach (var processor in world.ProcessorMachines)
            {
                processor.Kill(TimeSpan.FromMilliseconds(world.Random.Next(4000)));
            }
        }

        return world.Faults.Strikes(Fault.TransactionFailedAfter, "commit");
    }

    private static Fault? Of(LinkFault fault, bool hasBroker) => fault switch
    {
        LinkFault.RefusesConnection => Fault.ConnectionRefused,
        LinkFault.Disconnects => Fault.Disconnected,
        LinkFault.LosesMessage => Fault.MessageLost,
        LinkFault.DelaysMessage => Fault.MessageDelayed,
        LinkFault.DoublesMessage => Fault.MessageDoubled,
        LinkFault.ReordersMessage => hasBroker ? Fault.MessageReordered : null,
        LinkFault.LosesAck => Fault.AckLost,
        LinkFault.LosesReceipt => Fault.ReceiptLost,
        LinkFault.LosesDown => Fault.DownLost,
        LinkFault.DoublesDown => Fault.DownDoubled,
        LinkFault.DelaysDown => Fault.DownDelayed,
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "no such fault"),
    };
}
