using Telemetry.Ingress;
using Telemetry.MqttSessions;

namespace Telemetry.Integration.Ingress;

/// <summary>A gateway that opens ever more sessions takes its own place and nobody else's.</summary>
public sealed class GatewaySessionsTests
{
    [ServersFact(nats: true)]
    public async Task Oldest_session_of_a_gateway_is_closed_for_one_too_many_and_others_keep_theirs()
    {
        await using var stand = await IngressStand.Start(
            new IngressOptions { Partitions = 1, SessionsPerGatewayMax = 3 });
        await using var other = await stand.Connect("gw-2");
        var sessions = new List<Device>();
        for (var i = 0; i < 20; i++)
        {
            sessions.Add(await stand.Connect(clientId: $"gw-1/{i}"));
        }

        var closed = await Task.WhenAll(sessions.Take(17).Select(s => s.Client.Closed))
            .WaitAsync(TimeSpan.FromSeconds(30));

        Assert.All(closed, reason => Assert.Equal(MqttReasonCode.QuotaExceeded, reason));
        Assert.All(sessions.Skip(17), session => Assert.False(session.Client.Closed.IsCompleted));
        Assert.False(other.Client.Closed.IsCompleted);
        Assert.Equal(17, stand.Counters[IngressEvent.SessionDisplaced]);
        Assert.True(SpinWait.SpinUntil(() => stand.Ingress.Connections == 4, TimeSpan.FromSeconds(30)));
        foreach (var session in sessions)
        {
            await session.DisposeAsync();
        }
    }
}
