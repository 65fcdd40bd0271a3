using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Streams;

public sealed class JetStreamFrameLogContractTests : FrameLogContract
{
    protected override async Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(options);
        await test(stand);
    }
}

public sealed class JetStreamFrameLogReaderContractTests : FrameLogReaderContract
{
    protected override async Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(options);
        await test(stand);
    }
}

public sealed class JetStreamFrameLogInstallationContractTests : StreamInstallationContract
{
    protected override async Task RunAsync(Func<FrameLogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        await test(stand);
    }
}

public sealed class NatsControlChannelContractTests : ControlChannelContract
{
    protected override async Task RunAsync(Func<ControlChannelStand, Task> test)
    {
        await using var stand = await NatsStand.Start();
        await using var owner = await stand.AnotherConnection();
        await test(new ControlChannelStand(
            stand.ControlChannel, new NatsControlChannel(owner, NatsStand.Facts), stand.Time)
        {
            Stranger = new NatsControlChannel(owner, SampleInstallation.Of(8)),
        });
    }
}
