using Telemetry.Streams.JetStream;
using Telemetry.Testing.Contracts;

namespace Telemetry.Integration.Streams;

public sealed class NatsLogContractTests : LogContract
{
    protected override async Task RunAsync(LogStandOptions options, Func<LogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(options);
        await test(stand);
    }
}

public sealed class NatsLogReaderContractTests : LogReaderContract
{
    protected override async Task RunAsync(LogStandOptions options, Func<LogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(options);
        await test(stand);
    }
}

public sealed class NatsLogInstallationContractTests : LogInstallationContract
{
    protected override async Task RunAsync(Func<LogStand, Task> test)
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        await test(stand);
    }
}

public sealed class NatsBusContractTests : BusContract
{
    protected override async Task RunAsync(Func<BusStand, Task> test)
    {
        await using var stand = await NatsStand.Start();
        await using var owner = await stand.AnotherConnection();
        await test(new BusStand(stand.Bus, new NatsBus(owner, NatsStand.Facts), stand.Time)
        {
            Stranger = new NatsBus(owner, SampleInstallation.Of(8)),
        });
    }
}
