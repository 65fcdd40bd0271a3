using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage;

/// <summary>One server for the tests of a class.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    public string ConnectionString => _server!.ConnectionString;

    public int Port => _server!.Port;

    public async Task InitializeAsync() => _server = await PostgresServer.Start(null);

    public async Task DisposeAsync() => await _server!.DisposeAsync();
}
