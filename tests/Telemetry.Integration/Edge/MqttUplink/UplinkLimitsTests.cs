using System.Buffers;
using MQTTnet.Packets;
using Telemetry.Edge.Uplink.Mqtt;
using Telemetry.TestKit.Network;
using static Telemetry.Integration.Edge.MqttUplink.UplinkRig;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>Limits of the server that the uplink keeps, and limits of its own.</summary>
public sealed class UplinkLimitsTests
{
    [Fact]
    public async Task Receive_maximum_of_the_server_is_used_and_never_exceeded()
    {
        await using var broker = new ScriptedBroker { ConnAck = new MqttConnAckPacket { ReceiveMaximum = 64 } };
        var answered = broker.Answer;
        broker.Answer = async publish =>
        {
            await Task.Delay(20);
            return await answered(publish);
        };
        await using var connection = await ConnectAsync(broker.Port);
        Assert.Equal(64, connection.InFlightMax);

        var outcomes = await Task.WhenAll(PublishMany(connection, 300, 1000)).WaitAsync(Patience);

        Assert.All(outcomes, outcome => Assert.True(outcome.Accepted));
        Assert.Null(broker.Broken);
        Assert.Equal(64, broker.UnacknowledgedMost);
        Assert.Equal(
            Enumerable.Range(0, 300), broker.Publishes.Select(p => BitConverter.ToInt32(p.Payload.ToArray())));
    }

    [Fact]
    public async Task Publish_beyond_the_servers_packet_size_is_refused_here_and_the_largest_one_goes_up()
    {
        const int Largest = 5000;
        await using var broker = new ScriptedBroker { ConnAck = new MqttConnAckPacket { MaximumPacketSize = Largest } };
        await using var connection = await ConnectAsync(broker.Port);
        var room = Largest - (int)PublishPacket.Bytes("t", 4000) + 4000;

        var refused = await connection.PublishAsync("t", new byte[room + 1], CancellationToken.None);
        var taken = await connection.PublishAsync("t", new byte[room], CancellationToken.None);

        Assert.Equal((0x95, "packet is larger than the server takes"), (refused.ReasonCode, refused.Reason));
        Assert.True(taken.Accepted);
        Assert.Null(broker.Broken);
        Assert.Single(broker.Publishes);
    }

    [Fact]
    public async Task Packet_that_claims_more_than_was_announced_ends_the_connection_before_it_comes()
    {
        await using var broker = new ScriptedBroker();
        await using var connection = await ConnectAsync(broker.Port);
        Assert.Equal(1024u * 1024, Assert.IsType<MqttConnectPacket>(broker.Received[0]).MaximumPacketSize);
        var before = GC.GetTotalAllocatedBytes();

        await broker.SendAsync([0x30, 0xff, 0xff, 0xff, 0x7f]);

        await connection.Closed.WaitAsync(Patience);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 16 * 1024 * 1024);
    }

    /// <remarks>The window is full and no PUBACK comes: whether the server lives, only its PINGRESP says.</remarks>
    [Fact]
    public async Task Ping_stands_behind_one_publish_at_most_on_a_slow_link()
    {
        await using var broker = new ScriptedBroker { ConnAck = new MqttConnAckPacket { ReceiveMaximum = 64 } };
        var arrived = new TaskCompletionSource();
        var answered = broker.Answer;
        broker.Answer = async publish =>
        {
            await arrived.Task;
            return await answered(publish);
        };
        await using var line = new FaultProxy(broker.Port, bufferBytes: 4096);
        await using var connection = await ConnectAsync(
            Options(line.Port) with { KeepAlive = TimeSpan.FromSeconds(2), UnsentBytesMax = 4096 });
        line.LimitBandwidth(Direction.ToServer, 20_000 / 8);

        var publishes = PublishMany(connection, 40, 1000);
        using var patience = new CancellationTokenSource(3 * Patience);
        while (broker.Publishes.Count() < publishes.Length)
        {
            Assert.False(connection.Closed.IsCompleted);
            await Task.Delay(50, patience.Token);
        }

        arrived.SetResult();
        Assert.All(await Task.WhenAll(publishes).WaitAsync(Patience), outcome => Assert.True(outcome.Accepted));
        var pings = broker.Received.TakeWhile(p => BeforeLast(p, publishes.Length)).OfType<MqttPingReqPacket>().Count();
        Assert.InRange(pings, 2, 16);
        Assert.Null(broker.Broken);
    }

    [Fact]
    public async Task Publish_that_takes_longer_than_the_keep_alive_to_be_written_does_not_end_the_connection()
    {
        await using var broker = new ScriptedBroker();
        await using var line = new FaultProxy(broker.Port, bufferBytes: 4096);
        await using var connection = await ConnectAsync(
            Options(line.Port) with { KeepAlive = TimeSpan.FromSeconds(1), UnsentBytesMax = 4096 });
        line.LimitBandwidth(Direction.ToServer, 10_000);

        var publish = connection.PublishAsync("t", new byte[60_000], CancellationToken.None).AsTask();

        Assert.True((await publish.WaitAsync(2 * Patience)).Accepted);
        await UntilAsync(() => broker.Received.OfType<MqttPingReqPacket>().Any());
        Assert.False(connection.Closed.IsCompleted);
    }

    [Fact]
    public async Task Keep_alive_that_the_server_asks_for_takes_the_place_of_the_configured_one()
    {
        await using var broker = new ScriptedBroker { ConnAck = new MqttConnAckPacket { ServerKeepAlive = 1 } };
        await using var connection = await ConnectAsync(broker.Port);

        await UntilAsync(() => broker.Received.OfType<MqttPingReqPacket>().Count() >= 2);

        Assert.Equal(30, Assert.IsType<MqttConnectPacket>(broker.Received[0]).KeepAlivePeriod);
        Assert.False(connection.Closed.IsCompleted);
    }

    private static bool BeforeLast(MqttPacket packet, int publishes) => packet is not MqttPublishPacket publish
        || BitConverter.ToInt32(publish.Payload.ToArray()) < publishes - 1;
}
