using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting;

/// <summary>One broker for the tests of a class, started by the first that needs it.</summary>
public sealed class KafkaFixture : IAsyncLifetime
{
    private KafkaServer? _server;

    public KafkaServer Server => _server!;

    // Where no Kafka is named its tests are skipped; one that is named and does not start fails here.
    public async Task InitializeAsync()
    {
        if (Missing.Kafka is null)
        {
            _server = await KafkaServer.Start();
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
