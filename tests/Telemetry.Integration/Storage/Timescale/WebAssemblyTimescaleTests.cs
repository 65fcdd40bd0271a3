using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>
/// The contracts of the store, of hypertables and of the columnstore on TimescaleDB Community in WebAssembly. Its one
/// session is shared by all connections, one transaction after the other.
/// </summary>
public sealed class WebAssemblyTimescaleTests(WebAssemblyTimescaleFixture fixture)
    : IClassFixture<WebAssemblyTimescaleFixture>
{
    // They look at a transaction that another one has open, or end its session: this server has one of both.
    private static readonly string[] NeedTwoSessions =
    [
        nameof(StoreContract.Nobody_waits_for_a_transaction_whose_client_is_silent),
        nameof(StoreContract.Silent_holder_of_a_lease_that_ran_out_is_seen_and_can_be_ended),
        nameof(StoreContract.Holder_is_not_ended_when_it_is_another_transaction_by_now),
        nameof(HypertableContract.Chunk_that_is_dropped_while_another_one_is_converted_stops_nothing),
        nameof(ColumnstoreContract.Chunk_that_a_query_holds_is_left_and_the_others_are_converted),
        nameof(ColumnstoreRemovalContract.Conversion_of_parts_waits_for_a_merge),
        nameof(ColumnstoreContract.Snapshot_from_before_sees_every_reading_when_chunks_are_converted_and_merged),
    ];

    // CREATE INDEX CONCURRENTLY takes several transactions; and this edition converts chunks in place of indexing them.
    private static readonly string[] NeedConcurrentIndexes =
        [nameof(HypertableContract.Index_of_a_closed_chunk_is_built_once_and_anew_where_it_was_interrupted)];

    // On this server a warning of any connection fails the test.
    private static readonly string[] Warn =
        [nameof(ColumnstoreContract.Server_that_warns_of_direct_compress_is_not_asked_again)];

    public static TheoryData<string> StoreClaims => ContractClaims.Of<StoreContract>(without: NeedTwoSessions);

    public static TheoryData<string> HypertableClaims =>
        ContractClaims.Of<HypertableContract>(without: [.. NeedConcurrentIndexes, .. NeedTwoSessions]);

    public static TheoryData<string> ColumnstoreClaims =>
        ContractClaims.Of<ColumnstoreContract>(without: [.. Warn, .. NeedTwoSessions]);

    public static TheoryData<string> RemovalClaims =>
        ContractClaims.Of<ColumnstoreRemovalContract>(without: NeedTwoSessions);

    [TimescaleTheory]
    [MemberData(nameof(StoreClaims))]
    public Task Store_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<StoreContract>(new TimescaleStore(fixture.RunAsync), claim);

    [TimescaleTheory]
    [MemberData(nameof(HypertableClaims))]
    public Task Hypertables_keep_to_their_contract(string claim) =>
        ContractClaims.RunAsync<HypertableContract>(new TimescaleHypertables(fixture.RunAsync), claim);

    [TimescaleTheory]
    [MemberData(nameof(ColumnstoreClaims))]
    public Task Columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreContract>(new TimescaleColumnstore(fixture.RunAsync), claim);

    [TimescaleTheory]
    [MemberData(nameof(RemovalClaims))]
    public Task Removal_from_the_columnstore_keeps_to_its_contract(string claim) =>
        ContractClaims.RunAsync<ColumnstoreRemovalContract>(new TimescaleRemoval(fixture.RunAsync), claim);
}
