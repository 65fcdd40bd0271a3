using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>One server in WebAssembly for the tests of a class, emptied for each of them.</summary>
public sealed class WebAssemblyTimescaleFixture : IAsyncLifetime
{
    private TimescaleServer? _server;

    internal string ConnectionString => _server!.ConnectionString;

    public async Task InitializeAsync()
    {
        if (new TimescaleTheoryAttribute().Skip is null)
        {
            _server = await TimescaleServer.Start();
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Runs a test on a database with TimescaleDB and without tables, and sees that nothing warned.</summary>
    internal async Task RunAsync(Func<PostgresDatabase, Task> test)
    {
        var before = _server!.Warnings.Count;
        await using (var database = await PostgresDatabase.Emptied(_server.ConnectionString))
        {
            await test(database);
        }

        Assert.Empty(TimescaleDatabase.Unexpected(_server.Warnings.Skip(before)));
    }
}
