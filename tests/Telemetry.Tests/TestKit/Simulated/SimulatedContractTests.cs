using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

public sealed class SimulatedFrameLogContractTests : FrameLogContract
{
    protected override Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test) =>
        SimulatedFrameLogStand.RunAsync(options, test);
}

public sealed class SimulatedFrameLogReaderContractTests : FrameLogReaderContract
{
    protected override Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test) =>
        SimulatedFrameLogStand.RunAsync(options, test);
}

public sealed class SimulatedFrameLogInstallationContractTests : StreamInstallationContract
{
    protected override Task RunAsync(Func<FrameLogStand, Task> test) =>
        SimulatedFrameLogStand.RunAsync(FrameLogStandOptions.Ordinary, test, makeStreams: false);
}

public sealed class SimulatedControlChannelContractTests : ControlChannelContract
{
    protected override Task RunAsync(Func<ControlChannelStand, Task> test)
    {
        var pump = new Pump();
        var control = new SimulatedControlChannel(pump, new Random(1));
        pump.Run(() => test(new ControlChannelStand(
            control.As(SampleInstallation.Of(16)), control.As(SampleInstallation.Of(16)), pump.Clock)
        {
            Stranger = control.As(SampleInstallation.Of(8)),
        }));
        return Task.CompletedTask;
    }
}
