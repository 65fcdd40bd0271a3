using Telemetry.Containers.Engine;
using Telemetry.Containers.Servers;
using Telemetry.Integration.Alerting;
using Telemetry.Integration.Storage;
using Telemetry.Integration.Storage.Timescale;
using Telemetry.TestKit.Contracts;

namespace Telemetry.Containers.Contracts;

/// <summary>
/// The contracts of frame log, control channel, store and alert sink on the servers that docker-compose.yml names.
/// </summary>
[Collection(ServersCollection.Name)]
public sealed class ContainerContractTests(ServersFixture servers)
{
    public static TheoryData<string> LogClaims => ContractClaims.Of<FrameLogContract>();

    public static TheoryData<string> ReaderClaims => ContractClaims.Of<FrameLogReaderContract>();

    public static TheoryData<string> InstallationClaims => ContractClaims.Of<StreamInstallationContract>();

    public static TheoryData<string> ChannelClaims => ContractClaims.Of<ControlChannelContract>();

    public static TheoryData<string> SinkClaims => ContractClaims.Of<AlertSinkContract>();

    public static TheoryData<string> StoreClaims => ContractClaims.Of<StoreContract>();

    public static TheoryData<string> HypertableClaims => ContractClaims.Of<HypertableContract>();

    public static TheoryData<string> ColumnstoreClaims => ContractClaims.Of<ColumnstoreContract>();

    public static TheoryData<string> RemovalClaims => ContractClaims.Of<ColumnstoreRemovalContract>();

    [ContainerTheory]
    [MemberData(nameof(LogClaims))]
    public Task Log_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<FrameLogContract>(new OfLog(servers.Nats), claim);

    [ContainerTheory]
    [MemberData(nameof(ReaderClaims))]
    public Task Reader_of_the_log_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<FrameLogReaderContract>(new OfReader(servers.Nats), claim);

    [ContainerTheory]
    [MemberData(nameof(InstallationClaims))]
    public Task Log_keeps_to_the_contract_of_its_installation(string claim) =>
        ContractClaims.RunAsync<StreamInstallationContract>(new OfInstallation(servers.Nats), claim);

    [ContainerTheory]
    [MemberData(nameof(ChannelClaims))]
    public Task Control_channel_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ControlChannelContract>(new OfChannel(servers.Nats), claim);

    [ContainerTheory]
    [MemberData(nameof(StoreClaims))]
    public Task Store_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<StoreContract>(new TimescaleStore(OnTimescaleAsync), claim);

    [ContainerTheory]
    [MemberData(nameof(HypertableClaims))]
    public Task Hypertables_keep_to_their_contract(string claim) =>
        ContractClaims.RunAsync<HypertableContract>(new TimescaleHypertables(OnTimescaleAsync), claim);

    [ContainerTheory]
    [MemberData(nameof(ColumnstoreClaims))]
    public Task Columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreContract>(new TimescaleColumnstore(OnCommunityAsync), claim);

    [ContainerTheory]
    [MemberData(nameof(RemovalClaims))]
    public Task Removal_from_the_columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreRemovalContract>(new TimescaleRemoval(OnCommunityAsync), claim);

    private Task OnTimescaleAsync(Func<PostgresDatabase, Task> test) =>
        TimescaleDatabase.RunAsync(servers.Timescale.GetConnectionString(), test);

    private Task OnCommunityAsync(Func<PostgresDatabase, Task> test) =>
        TimescaleDatabase.RunAsync(servers.Timescale.GetConnectionString(), test, needsCommunity: true);

    [ContainerTheory]
    [MemberData(nameof(SinkClaims))]
    public Task Alert_sink_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<AlertSinkContract>(new KafkaContract(servers.Kafka.GetBootstrapAddress()), claim);

    private sealed class OfLog(NatsContainer nats) : FrameLogContract
    {
        protected override async Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test)
        {
            await using var stand = await NatsContainerStand.StartAsync(nats, options);
            await test(stand);
        }
    }

    private sealed class OfReader(NatsContainer nats) : FrameLogReaderContract
    {
        protected override async Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test)
        {
            await using var stand = await NatsContainerStand.StartAsync(nats, options);
            await test(stand);
        }
    }

    private sealed class OfInstallation(NatsContainer nats) : StreamInstallationContract
    {
        protected override async Task RunAsync(Func<FrameLogStand, Task> test)
        {
            await using var stand = await NatsContainerStand.StartAsync(nats, makeStreams: false);
            await test(stand);
        }
    }

    private sealed class OfChannel(NatsContainer nats) : ControlChannelContract
    {
        protected override Task RunAsync(Func<ControlChannelStand, Task> test) =>
            NatsContainerStand.WithChannelAsync(nats, test);
    }
}
