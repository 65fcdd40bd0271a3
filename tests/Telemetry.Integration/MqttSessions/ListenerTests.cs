using System.Collections;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using MQTTnet.Packets;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;
using Telemetry.TestKit.Time;
using MqttUserProperty = Telemetry.MqttSessions.MqttUserProperty;

namespace Telemetry.Integration.MqttSessions;

public sealed class ListenerTests
{
    [Fact]
    public async Task Published_message_arrives_and_its_puback_carries_user_properties()
    {
        var application = new RecordingApplication
        {
            Verdict = _ => new(new PublishVerdict(MqttReasonCode.Success, [new("receipt", "7")], "thanks")),
        };
        await using var fixture = await ListenerFixture.StartAsync(application: application);
        await using var client = await fixture.ConnectAsync("a");

        var result = await client.PublishAsync("own/a/x", "hello"u8.ToArray());

        Assert.Equal((fixture.Application.Sessions["a"], "own/a/x", "hello"),
            await ListenerFixture.NextAsync(application.Messages));
        Assert.Equal(MqttReasonCode.Success, result.ReasonCode);
        Assert.Equal(new MqttUserProperty("receipt", "7"), Assert.Single(result.UserProperties));
        Assert.Equal("thanks", result.ReasonString);
    }

    [Fact]
    public async Task Session_sends_only_what_the_client_subscribes()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        var received = Channel.CreateBounded<string>(10);
        await using var client = await fixture.ConnectAsync(
            "a", (topic, payload) => received.Writer.TryWrite($"{topic} {Encoding.UTF8.GetString(payload)}"));
        var session = fixture.Application.Sessions["a"];

        Assert.Equal(MqttSendOutcome.NotSubscribed, session.TrySend("own/a/down", "0"u8.ToArray()));
        var subscribed = await client.SubscribeAsync("own/a/+", "own/b/#");
        Assert.Equal([MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized], subscribed);
        Assert.Equal(MqttSendOutcome.Queued, session.TrySend("own/a/down", "1"u8.ToArray(), MqttQos.AtLeastOnce));
        Assert.Equal("own/a/down 1", await ListenerFixture.NextAsync(received));

        Assert.Equal([MqttReasonCode.Success], await client.UnsubscribeAsync("own/a/+"));
        Assert.Equal(MqttSendOutcome.NotSubscribed, session.TrySend("own/a/down", "2"u8.ToArray()));
    }

    [Fact]
    public async Task Second_connection_of_a_client_id_takes_over_the_first()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var first = await fixture.ConnectAsync("a");
        await using var second = await fixture.ConnectAsync("a");

        var reason = await first.Closed.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(MqttReasonCode.SessionTakenOver, reason);
        Assert.True((await second.PublishAsync("own/a/x", "y"u8.ToArray())).IsSuccess);
        Assert.Equal(1, fixture.Listener.Counters.TakeOvers);
        Assert.Equal("connected a", await ListenerFixture.NextAsync(fixture.Application.Log));
        Assert.Equal("disconnected a TakenOver SessionTakenOver",
            await ListenerFixture.NextAsync(fixture.Application.Log));
        Assert.Equal("connected a", await ListenerFixture.NextAsync(fixture.Application.Log));
    }

    [Fact]
    public async Task Publishes_up_to_the_receive_maximum_are_worked_on_at_once_and_answered_in_order()
    {
        var gate = new TaskCompletionSource();
        int running = 0;
        var application = new RecordingApplication
        {
            Verdict = async message =>
            {
                Interlocked.Increment(ref running);
                await gate.Task;
                // The later, the faster.
                await Task.Delay(200 - (5 * int.Parse(Encoding.UTF8.GetString(message.Payload.Span))));
                return PublishVerdict.Accepted;
            },
        };
        await using var fixture = await ListenerFixture.StartAsync(application: application);
        using var peer = await RawPeer.ConnectAsync(fixture.Listener.Port, "a");

        for (byte i = 1; i <= 32; i++)
        {
            await peer.SendAsync(MqttBytes.Packet(
                0x32, [.. MqttBytes.Text("own/a/x"), 0, i, 0, .. Encoding.UTF8.GetBytes($"{i}")]));
        }

        await ListenerFixture.UntilAsync(() => Volatile.Read(ref running) == 32);
        gate.SetResult();
        await ListenerFixture.UntilAsync(() => fixture.Listener.PublishesUnderWay == 0);
        await peer.SendAsync(0xE0, 0);

        Assert.Equal(
            Enumerable.Range(1, 32),
            (await peer.ReadToEndAsync()).Select(p => (int)Assert.IsType<MqttPubAckPacket>(p).PacketIdentifier));
        for (int i = 1; i <= 32; i++)
            Assert.Equal($"{i}", (await ListenerFixture.NextAsync(application.Messages)).Text);
    }

    [Fact]
    public async Task Publish_without_puback_fails_as_transient_when_the_listener_stops()
    {
        var application = new RecordingApplication
        {
            Verdict = _ => new(new TaskCompletionSource<PublishVerdict>().Task),
        };
        await using var fixture = await ListenerFixture.StartAsync(application: application);
        await using var client = await fixture.ConnectAsync("a");
        var publish = client.PublishAsync("own/a/x", "y"u8.ToArray());
        await ListenerFixture.NextAsync(application.Messages);

        await fixture.Listener.DisposeAsync();

        await Assert.ThrowsAsync<IOException>(() => publish.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(MqttReasonCode.ServerShuttingDown, await client.Closed);
    }

    /// <summary>A stop in between would leave it without, though the application has taken it.</summary>
    [Fact]
    public async Task Publish_is_under_way_until_its_puback_is_with_the_session()
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gate = new ManualResetEventSlim();
        var properties = new LateProperties(gate);
        var application = new RecordingApplication
        {
            Verdict = async _ =>
            {
                await taken.Task;
                return new PublishVerdict(MqttReasonCode.Success, properties);
            },
        };
        await using var fixture = await ListenerFixture.StartAsync(application: application);
        await using var client = await fixture.ConnectAsync("a");

        Assert.Equal(0, fixture.Listener.PublishesUnderWay);
        var publish = client.PublishAsync("own/a/x", "y"u8.ToArray());
        await ListenerFixture.NextAsync(application.Messages);
        Assert.Equal(1, fixture.Listener.PublishesUnderWay);
        taken.SetResult();
        await ListenerFixture.UntilAsync(() => properties.IsAsked);
        Assert.Equal(1, fixture.Listener.PublishesUnderWay);

        gate.Set();
        await ListenerFixture.UntilAsync(() => fixture.Listener.PublishesUnderWay == 0);
        await fixture.Listener.DisposeAsync();

        Assert.True((await publish.WaitAsync(TimeSpan.FromSeconds(10))).IsSuccess);
    }

    [Fact]
    public async Task Stopped_listener_can_be_started_again_on_its_port_at_once()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        var options = fixture.ClientOptions("a");
        await using (var client = await fixture.ConnectAsync("a")) await fixture.Listener.DisposeAsync();

        await using var again = new MqttListener(
            new MqttListenerOptions { Port = options.Port }, new RecordingApplication(), TimeProvider.System);
        await again.StartAsync(default);

        await using var second = new TestMqttClient(options);
        Assert.True((await second.ConnectAsync()).IsSuccess);
    }

    [Fact]
    public async Task Stop_cuts_a_client_that_does_not_close_after_two_seconds()
    {
        // The session's own time to wait for the client never passes on this clock.
        await using var fixture = await ListenerFixture.StartAsync(time: new SimulatedClock());
        using var peer = await RawPeer.ConnectAsync(fixture.Listener.Port, "a");

        await fixture.Listener.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(0, fixture.Listener.Connections);
        Assert.Equal(MqttReasonCode.ServerShuttingDown, await peer.ReadDisconnectAsync());
    }

    [Fact]
    public async Task Port_that_is_taken_is_told_by_the_sockets_own_error()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var second = new MqttListener(
            new MqttListenerOptions { Port = fixture.Listener.Port }, new RecordingApplication(), TimeProvider.System);

        var error = await Assert.ThrowsAsync<SocketException>(() => second.StartAsync(default));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        await new MqttListener(new MqttListenerOptions(), new RecordingApplication(), TimeProvider.System)
            .DisposeAsync();
    }

    [Fact]
    public async Task Wrong_password_is_refused_with_its_reason_code()
    {
        await using var fixture = await ListenerFixture.StartAsync();
        await using var client = new TestMqttClient(fixture.ClientOptions("a") with { Password = "wrong" });

        var result = await client.ConnectAsync();

        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, result.ReasonCode);
        Assert.Equal("wrong user name or password", result.ReasonString);
        Assert.Equal(1, fixture.Listener.Counters.Refused(MqttReasonCode.BadUserNameOrPassword));
    }

    /// <summary>No properties, but who asks how many has to wait.</summary>
    private sealed class LateProperties(ManualResetEventSlim gate) : IReadOnlyList<MqttUserProperty>
    {
        private volatile bool _isAsked;

        public bool IsAsked => _isAsked;

        public int Count
        {
            get
            {
                _isAsked = true;
                gate.Wait(TimeSpan.FromSeconds(20));
                return 0;
            }
        }

        public MqttUserProperty this[int index] => throw new ArgumentOutOfRangeException(nameof(index));

        public IEnumerator<MqttUserProperty> GetEnumerator()
        {
            _ = Count;
            yield break;
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
