using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage;

/// <summary>The store's contract, on PostgreSQL.</summary>
public sealed class PostgresStoreContractTests(PostgresFixture fixture) : StoreContract, IClassFixture<PostgresFixture>
{
    protected override async Task RunAsync(Func<IStoreUnderTest, Task> test)
    {
        await using var database = await PostgresDatabase.Create(fixture.ConnectionString);
        await test(database);
    }
}

