using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>
/// All of the contracts on the TimescaleDB server that TELEMETRY_TEST_TIMESCALE names. Each test makes a database of
/// its own there and drops it.
/// </summary>
public sealed class NamedTimescaleTests
{
    public static TheoryData<string> StoreClaims => ContractClaims.Of<StoreContract>();

    public static TheoryData<string> HypertableClaims => ContractClaims.Of<HypertableContract>();

    public static TheoryData<string> ColumnstoreClaims => ContractClaims.Of<ColumnstoreContract>();

    public static TheoryData<string> RemovalClaims => ContractClaims.Of<ColumnstoreRemovalContract>();

    [NamedTimescaleTheory]
    [MemberData(nameof(StoreClaims))]
    public Task Store_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<StoreContract>(new TimescaleStore(RunAsync), claim);

    [NamedTimescaleTheory]
    [MemberData(nameof(HypertableClaims))]
    public Task Hypertables_keep_to_their_contract(string claim) =>
        ContractClaims.RunAsync<HypertableContract>(new TimescaleHypertables(RunAsync), claim);

    [NamedTimescaleTheory]
    [MemberData(nameof(ColumnstoreClaims))]
    public Task Columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreContract>(new TimescaleColumnstore(RunOnCommunityAsync), claim);

    [NamedTimescaleTheory]
    [MemberData(nameof(RemovalClaims))]
    public Task Removal_from_the_columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreRemovalContract>(new TimescaleRemoval(RunOnCommunityAsync), claim);

    private static Task RunAsync(Func<PostgresDatabase, Task> test) =>
        TimescaleDatabase.RunAsync(NamedTimescaleTheoryAttribute.ConnectionString!, test);

    private static Task RunOnCommunityAsync(Func<PostgresDatabase, Task> test) =>
        TimescaleDatabase.RunAsync(NamedTimescaleTheoryAttribute.ConnectionString!, test, needsCommunity: true);
}
