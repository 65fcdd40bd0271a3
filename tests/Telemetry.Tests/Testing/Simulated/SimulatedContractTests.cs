using Telemetry.Testing.Contracts;
using Telemetry.Testing.Simulated;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Testing.Simulated;

public sealed class SimulatedLogContractTests : LogContract
{
    protected override Task RunAsync(LogStandOptions options, Func<LogStand, Task> test) =>
        SimulatedLogStand.RunAsync(options, test);
}

public sealed class SimulatedLogReaderContractTests : LogReaderContract
{
    protected override Task RunAsync(LogStandOptions options, Func<LogStand, Task> test) =>
        SimulatedLogStand.RunAsync(options, test);
}

public sealed class SimulatedBusContractTests : BusContract
{
    protected override Task RunAsync(Func<BusStand, Task> test)
    {
        var pump = new Pump();
        var bus = new SimulatedBus(pump, new Random(1));
        pump.Run(() => test(new BusStand(bus, bus, pump.Clock)));
        return Task.CompletedTask;
    }
}
