using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.MqttSessions;

public sealed class BackPressureTests
{
    [Fact]
    public async Task Sender_beyond_the_receive_maximum_gets_0x93()
    {
        var gate = NewGate();
        await using var fixture = await Slow(gate);
        using var peer = await RawPeer.ConnectAsync(fixture.Listener.Port, "a");
        for (ushort id = 1; id <= 3; id++)
        {
            await peer.SendAsync(
                MqttBytes.Packet(0x32, [.. MqttBytes.Text("own/a/x"), 0, (byte)id, 0, .. new byte[1]]));
        }

        Assert.Equal(MqttReasonCode.ReceiveMaximumExceeded, await peer.ReadDisconnectAsync());
        Assert.Equal(1, fixture.Listener.Counters.ProtocolErrors(MqttReasonCode.ReceiveMaximumExceeded));
        gate.SetResult();
    }

    [Fact]
    public async Task Flood_of_qos0_messages_waits_in_the_network_while_the_application_is_busy()
    {
        var gate = NewGate();
        await using var fixture = await Slow(gate);
        await using var client = await fixture.ConnectAsync("a");
        var publishes = Enumerable.Range(0, 200)
            .Select(_ => client.PublishAsync("own/a/x", new byte[100_000], acknowledged: false)).Take(40).ToArray();

        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.MessagesReceived == 2);
        await Task.Delay(200);

        Assert.Equal(2, fixture.Listener.Counters.MessagesReceived);
        gate.SetResult();
        await Task.WhenAll(publishes).WaitAsync(TimeSpan.FromSeconds(20));
        await ListenerFixture.UntilAsync(() => fixture.Listener.Counters.MessagesReceived == publishes.Length);
    }

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Task<ListenerFixture> Slow(TaskCompletionSource gate) => ListenerFixture.StartAsync(
        new MqttListenerOptions { Limits = new MqttSessionLimits { ReceiveMaximum = 2 } },
        new RecordingApplication
        {
            Verdict = async _ =>
            {
                await gate.Task;
                return PublishVerdict.Accepted;
            },
        });
}
