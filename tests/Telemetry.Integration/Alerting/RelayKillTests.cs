using Telemetry.SystemTests.Relay;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Alerting;

/// <summary>The short form of the relay's kill test, on a real broker and a real PostgreSQL.</summary>
public sealed class RelayKillTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    [KafkaFact(postgres: true)]
    public async Task Each_alert_leaves_once_however_often_the_relay_is_killed_and_the_database_put_back()
    {
        using var limit = new CancellationTokenSource(Limit);
        using var output = new StringWriter();
        await using var cluster = await RelayCluster.StartAsync();
        var test = new RelayKillTest(RelayKillOptions.Short, TextWriter.Synchronized(output));

        var problems = await test.RunAsync(cluster, limit.Token);

        Assert.True(problems.Count == 0, $"{string.Join('\n', problems)}\n{output}\n{cluster.Relays[0].Tail()}");
        Assert.True(test.KillsInTransaction >= 2, output.ToString());
    }
}
