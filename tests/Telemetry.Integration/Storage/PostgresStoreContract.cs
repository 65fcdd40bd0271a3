using Telemetry.Testing.Contracts;
using Telemetry.Testing.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>The store's contract, on PostgreSQL.</summary>
public sealed class PostgresStoreContract(PostgresFixture fixture) : StoreContract, IClassFixture<PostgresFixture>
{
    protected override async Task<IStoreUnderTest> Open() => await PostgresDatabase.Create(fixture.ConnectionString);
}

/// <summary>One server for the tests of a class.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    public string ConnectionString => _server!.ConnectionString;

    public async Task InitializeAsync() => _server = await PostgresServer.Start(null);

    public async Task DisposeAsync() => await _server!.DisposeAsync();
}
