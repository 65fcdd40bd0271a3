using Telemetry.Edge.Uplink;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Edge.MqttUplink.UplinkRig;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>The uplink against a real broker.</summary>
public sealed class UplinkMosquittoTests
{
    [MosquittoFact]
    public async Task Message_goes_up_and_comes_down_to_its_own_topic()
    {
        await using var broker = await MosquittoServer.Start();
        await using var connection = await ConnectAsync(broker.Port);

        var up = await connection.PublishAsync("tm/1/gw-1/live", new byte[100_000], CancellationToken.None);
        var down = await connection.PublishAsync("tm/1/gw-1/down", "hello"u8.ToArray(), CancellationToken.None);

        Assert.Equal((0x10, 0), (up.ReasonCode, down.ReasonCode));
        var message = await connection.Down.ReadAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("hello"u8.ToArray(), message.ToArray());
    }

    [MosquittoFact]
    public async Task Wrong_password_is_a_refusal_that_does_not_pass()
    {
        await using var broker = await MosquittoServer.Start(new MosquittoOptions
        {
            Users = new Dictionary<string, string> { ["gw-1"] = "secret" },
        });

        var failure = await RefusedAsync(Options(broker.Port) with { Password = "wrong" });
        await using var right = await ConnectAsync(Options(broker.Port) with { Password = "secret" });

        Assert.False(failure.IsTransient);
        Assert.StartsWith("connecting was refused: 0x87 NotAuthorized", failure.Message, StringComparison.Ordinal);
        Assert.True((await right.PublishAsync("t", new byte[1], CancellationToken.None)).Accepted);
    }

    [MosquittoFact]
    public async Task Receive_maximum_of_the_broker_is_kept_over_many_messages()
    {
        await using var broker =
            await MosquittoServer.Start(new MosquittoOptions { Configuration = "max_inflight_messages 5" });
        await using var connection = await ConnectAsync(broker.Port);
        Assert.Equal(5, connection.InFlightMax);

        var outcomes = await Task.WhenAll(PublishMany(connection, 1000, 500)).WaitAsync(Patience);

        Assert.All(outcomes, outcome => Assert.True(outcome.Accepted));
    }

    [MosquittoFact]
    public async Task Publishes_in_flight_fail_when_the_broker_is_killed_and_a_new_connection_gets_through()
    {
        await using var broker = await MosquittoServer.Start();
        await using var connection = await ConnectAsync(broker.Port);
        broker.Process.Signal(ProcessSignal.Stop);
        var publishes = PublishMany(connection, 50, 100);
        await broker.Kill();
        foreach (var publish in publishes)
        {
            Assert.True((await Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Patience))).IsTransient);
        }

        await connection.Closed.WaitAsync(Patience);
        await broker.Restart();
        await using var next = await ConnectAsync(broker.Port);
        Assert.True((await next.PublishAsync("t", new byte[1], CancellationToken.None)).Accepted);
    }

    /// <remarks>mosquitto 2.0.11 closes the older connection without a DISCONNECT; the ingress says 0x8E.</remarks>
    [MosquittoFact]
    public async Task Older_connection_of_a_gateway_ends_when_a_new_one_takes_its_place()
    {
        await using var broker = await MosquittoServer.Start();
        await using var first = await ConnectAsync(broker.Port);
        await using var second = await ConnectAsync(broker.Port);

        await first.Closed.WaitAsync(Patience);

        Assert.True((await second.PublishAsync("t", new byte[1], CancellationToken.None)).Accepted);
    }
}
