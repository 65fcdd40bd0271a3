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

public sealed class SimulatedLogInstallationContractTests : LogInstallationContract
{
    protected override Task RunAsync(Func<LogStand, Task> test) =>
        SimulatedLogStand.RunAsync(LogStandOptions.Ordinary, test, makeStreams: false);
}

public sealed class SimulatedBusContractTests : BusContract
{
    protected override Task RunAsync(Func<BusStand, Task> test)
    {
        var pump = new Pump();
        var bus = new SimulatedBus(pump, new Random(1));
        pump.Run(() => test(new BusStand(
            bus.As(SampleInstallation.Of(16)), bus.As(SampleInstallation.Of(16)), pump.Clock)
        {
            Stranger = bus.As(SampleInstallation.Of(8)),
        }));
        return Task.CompletedTask;
    }
}
