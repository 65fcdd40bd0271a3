using Telemetry.Mqtt;
using Telemetry.Mqtt.Packets;

namespace Telemetry.Integration.Mqtt;

public sealed class BackPressureTests
{
    [Fact]
    public async Task Sender_beyond_the_receive_maximum_gets_0x93()
    {
        await using var fixture = Slow(out var gate);
        using var peer = await RawPeer.ConnectAsync(fixture.Listener.Port, "a");
        for (ushort id = 1; id <= 3; id++)
        {
            ushort packetId = id;
            await peer.SendAsync(o =>
                new PublishPacket("own/a/x", new byte[1], MqttQos.AtLeastOnce, packetId, PropertyList.Empty).Write(o));
        }

        Assert.Equal(MqttReasonCode.ReceiveMaximumExceeded, await peer.ReadDisconnectAsync());
        Assert.Equal(1, fixture.Listener.Counters.ProtocolErrors(MqttReasonCode.ReceiveMaximumExceeded));
        gate.SetResult();
    }

    [Fact]
    public async Task Flood_of_qos0_messages_waits_in_the_network_while_the_application_is_busy()
    {
        await using var fixture = Slow(out var gate);
        await using var client = await fixture.ConnectAsync("a");
        var publishes = Enumerable.Range(0, 200)
            .Select(_ => client.PublishAsync("own/a/x", new byte[100_000], MqttQos.AtMostOnce).AsTask())
            .TakeWhile(p => !p.IsFaulted).Take(40).ToArray();

        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.MessagesReceived == 2);
        await Task.Delay(200);

        Assert.Equal(2, fixture.Listener.Counters.MessagesReceived);
        gate.SetResult();
        await Task.WhenAll(publishes).WaitAsync(TimeSpan.FromSeconds(20));
        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.MessagesReceived == publishes.Length);
    }

    [Fact]
    public async Task Unsent_bytes_of_the_client_stay_bounded_when_nobody_reads()
    {
        await using var fixture = Slow(out var gate);
        await using var client = new MqttClient(fixture.ClientOptions("a") with
        {
            SocketUnsentBytesMax = 16 * 1024,
            Limits = new MqttSessionLimits { QueuedMessagesMax = 10_000, QueuedBytesMax = 64 * 1024 * 1024 },
        }, TimeProvider.System);
        await client.ConnectAsync();

        var publishes = Enumerable.Range(0, 1000)
            .Select(_ => client.PublishAsync("own/a/x", new byte[10_000], MqttQos.AtMostOnce).AsTask()).ToArray();

        await publishes[0].WaitAsync(TimeSpan.FromSeconds(20));
        await Task.Delay(300);
        Assert.InRange(publishes.Count(p => p.IsCompleted), 1, 999);
        gate.SetResult();
        await Task.WhenAll(publishes).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private static ListenerFixture Slow(out TaskCompletionSource gate)
    {
        var opened = gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new ListenerFixture(
            new MqttListenerOptions { Limits = new MqttSessionLimits { ReceiveMaximum = 2 } },
            new RecordingApplication
            {
                Verdict = async _ =>
                {
                    await opened.Task;
                    return PublishVerdict.Accepted;
                },
            });
    }
}
