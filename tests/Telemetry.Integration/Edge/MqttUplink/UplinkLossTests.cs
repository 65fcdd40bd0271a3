using System.Diagnostics;
using MQTTnet.Packets;
using Telemetry.Edge.Uplink;
using Telemetry.TestKit.Network;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Time;
using static Telemetry.Integration.Edge.MqttUplink.UplinkRig;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>How a connection ends, and what is said about it.</summary>
public sealed class UplinkLossTests
{
    [Theory]
    [InlineData(true, "Connection reset by peer")]
    [InlineData(false, "peer closed the connection")]
    public async Task Lost_link_fails_everything_at_once_and_nothing_is_sent_again(bool reset, string why)
    {
        await using var broker = new ScriptedBroker
        {
            ConnAck = new MqttConnAckPacket { ReceiveMaximum = 20 },
            Answer = _ => Task.FromResult<MqttPubAckPacket?>(null),
        };
        await using var line = new FaultProxy(broker.Port);
        await using var connection = await ConnectAsync(line.Port);
        var publishes = PublishMany(connection, 50, 1000);
        await UntilAsync(() => broker.Publishes.Count() == 20);

        var cut = Stopwatch.GetTimestamp();
        if (reset)
        {
            line.Cut(CutKind.Reset);
        }
        else
        {
            broker.HangUp();
        }

        foreach (var publish in publishes)
        {
            var failure = await Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Patience));
            Assert.True(failure.IsTransient);
            Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        }

        Assert.InRange(Stopwatch.GetElapsedTime(cut), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        await connection.Closed.WaitAsync(Patience);
        line.Heal();
        await Task.Delay(500);
        Assert.Equal((1, 20), (broker.Connections, broker.Publishes.Count()));
        await Assert.ThrowsAsync<UplinkException>(
            async () => await connection.PublishAsync("t", new byte[1], CancellationToken.None));
    }

    [Fact]
    public async Task Disposal_says_disconnect_after_the_publishes_and_closes_in_order()
    {
        await using var broker = new ScriptedBroker { Answer = _ => Task.FromResult<MqttPubAckPacket?>(null) };
        var connection = await ConnectAsync(broker.Port);
        var publishes = PublishMany(connection, 5, 1000);

        await connection.DisposeAsync().AsTask().WaitAsync(Patience);

        foreach (var publish in publishes)
        {
            var failure = await Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Patience));
            Assert.Equal("MQTT connection closed: client disconnected", failure.Message);
        }

        await UntilAsync(() => broker.HasEnded);
        Assert.Equal(0, (int)Assert.IsType<MqttDisconnectPacket>(broker.Received[^1]).ReasonCode);
        Assert.Equal(5, broker.Publishes.Count());
        Assert.True(connection.Closed.IsCompleted);
    }

    /// <remarks>An answer that meets a closed socket is answered with a reset, and what is unsent is lost.</remarks>
    [Fact]
    public async Task Last_publish_and_disconnect_arrive_though_an_answer_comes_while_they_are_on_the_way()
    {
        await using var broker = new ScriptedBroker();
        var answered = broker.Answer;
        broker.Answer = async publish =>
        {
            await Task.Delay(200);
            return await answered(publish);
        };
        await using var line = new FaultProxy(broker.Port, bufferBytes: 4096);
        var connection = await ConnectAsync(line.Port);
        line.LimitBandwidth(Direction.ToServer, 60_000);
        _ = PublishMany(connection, 2, 15_000);
        await UntilAsync(() => broker.Publishes.Any());

        await connection.DisposeAsync().AsTask().WaitAsync(Patience);

        await UntilAsync(() => broker.Received.OfType<MqttDisconnectPacket>().Any());
        Assert.Equal(2, broker.Publishes.Count());
    }

    [Fact]
    public async Task Publish_that_is_given_up_cuts_no_packet_in_two()
    {
        await using var broker = new ScriptedBroker();
        await using var line = new FaultProxy(broker.Port, bufferBytes: 4096);
        await using var connection = await ConnectAsync(Options(line.Port) with { UnsentBytesMax = 4096 });
        line.LimitBandwidth(Direction.ToServer, 64 * 1024);
        using var stop = new CancellationTokenSource();

        var large = connection.PublishAsync("t", new byte[100_000], stop.Token).AsTask();
        await Task.Delay(200);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        var next = connection.PublishAsync("t", new byte[10], CancellationToken.None).AsTask();
        Assert.True((await next.WaitAsync(Patience)).Accepted);
        Assert.Equal([100_000L, 10L], broker.Publishes.Select(p => p.Payload.Length));
    }

    [Fact]
    public async Task Nobody_who_listens_is_a_failure_that_may_pass()
    {
        var failure = await RefusedAsync(Options(FreePort.Next()));
        Assert.Equal(("MQTT connection failed: Connection refused", true), (failure.Message, failure.IsTransient));
    }

    [Fact]
    public async Task Server_that_never_answers_the_connect_is_given_up_in_time()
    {
        await using var broker = new ScriptedBroker { ConnAck = null };
        var failure = await RefusedAsync(Options(broker.Port) with { ConnectTimeout = TimeSpan.FromSeconds(1) });
        Assert.Equal(
            ("MQTT connection failed: no CONNACK came in time", true), (failure.Message, failure.IsTransient));
    }

    [MosquittoFact]
    public async Task Broker_that_hangs_is_noticed_by_the_missing_ping_response()
    {
        var clock = new SimulatedClock();
        await using var broker = await MosquittoServer.Start();
        await using var connection = await ConnectAsync(Options(broker.Port), time: clock);
        broker.Process.Signal(ProcessSignal.Stop);
        var publish = connection.PublishAsync("t", new byte[1], CancellationToken.None).AsTask();

        try
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!connection.Closed.IsCompleted)
            {
                clock.Advance(TimeSpan.FromSeconds(10));
                await Task.Delay(10, patience.Token);
            }

            var failure = await Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Patience));
            Assert.Equal("MQTT connection closed: no PINGRESP came in time", failure.Message);
        }
        finally
        {
            // By its clock, the connection would wait for the broker to close too.
            await broker.Kill();
        }
    }
}
