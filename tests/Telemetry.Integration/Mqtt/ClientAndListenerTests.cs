using System.Collections;
using System.Text;
using System.Threading.Channels;
using Telemetry.Mqtt;

namespace Telemetry.Integration.Mqtt;

public sealed class ClientAndListenerTests
{
    [Fact]
    public async Task Published_message_arrives_and_its_puback_carries_user_properties()
    {
        var application = new RecordingApplication
        {
            Verdict = _ => new(new PublishVerdict(MqttReasonCode.Success, [new("receipt", "7")], "thanks")),
        };
        await using var fixture = new ListenerFixture(application: application);
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
        await using var fixture = new ListenerFixture();
        var received = Channel.CreateBounded<string>(10);
        await using var client = await fixture.ConnectAsync("a", m =>
        {
            received.Writer.TryWrite($"{m.Topic} {Encoding.UTF8.GetString(m.Payload.Span)} {m.Qos}");
            return ValueTask.CompletedTask;
        });
        var session = fixture.Application.Sessions["a"];

        Assert.Equal(MqttSendOutcome.NotSubscribed, session.TrySend("own/a/down", "0"u8.ToArray()));
        var subscribed = await client.SubscribeAsync(["own/a/+", "own/b/#"], MqttQos.AtLeastOnce);
        Assert.Equal([MqttReasonCode.GrantedQos1, MqttReasonCode.NotAuthorized], subscribed.ReasonCodes);
        Assert.Equal(MqttSendOutcome.Queued, session.TrySend("own/a/down", "1"u8.ToArray(), MqttQos.AtLeastOnce));
        Assert.Equal("own/a/down 1 AtLeastOnce", await ListenerFixture.NextAsync(received));

        Assert.True((await client.UnsubscribeAsync(["own/a/+"])).IsSuccess);
        Assert.Equal(MqttSendOutcome.NotSubscribed, session.TrySend("own/a/down", "2"u8.ToArray()));
    }

    [Fact]
    public async Task Second_connection_of_a_client_id_takes_over_the_first()
    {
        await using var fixture = new ListenerFixture();
        await using var first = await fixture.ConnectAsync("a");
        await using var second = await fixture.ConnectAsync("a");

        var reason = await first.Closed.WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal((MqttCloseKind.TakenOver, MqttReasonCode.SessionTakenOver), (reason.Kind, reason.ReasonCode));
        Assert.True((await second.PublishAsync("own/a/x", "y"u8.ToArray())).IsSuccess);
        Assert.Equal(1, fixture.Listener.Counters.TakeOvers);
        Assert.Equal("connected a", await ListenerFixture.NextAsync(fixture.Application.Log));
        Assert.Equal("disconnected a TakenOver SessionTakenOver",
            await ListenerFixture.NextAsync(fixture.Application.Log));
        Assert.Equal("connected a", await ListenerFixture.NextAsync(fixture.Application.Log));
    }

    [Fact]
    public async Task Publishes_beyond_the_receive_maximum_wait_and_are_answered_in_order()
    {
        var gate = new TaskCompletionSource();
        int running = 0, runningMost = 0;
        var application = new RecordingApplication
        {
            Verdict = async _ =>
            {
                runningMost = Math.Max(runningMost, Interlocked.Increment(ref running));
                await gate.Task;
                Interlocked.Decrement(ref running);
                return PublishVerdict.Accepted;
            },
        };
        await using var fixture = new ListenerFixture(
            new MqttListenerOptions { Limits = new MqttSessionLimits { ReceiveMaximum = 3 } }, application);
        await using var client = await fixture.ConnectAsync("a");

        var publishes = Enumerable.Range(0, 50)
            .Select(i => client.PublishAsync("own/a/x", Encoding.UTF8.GetBytes($"{i}")).AsTask()).ToArray();
        await ListenerFixture.UntilAsync(() => Volatile.Read(ref running) == 3);
        gate.SetResult();
        await Task.WhenAll(publishes).WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(3, runningMost);
        for (int i = 0; i < 50; i++) Assert.Equal($"{i}", (await ListenerFixture.NextAsync(application.Messages)).Text);
    }

    [Fact]
    public async Task Publish_without_puback_fails_as_transient_when_the_listener_stops()
    {
        var application = new RecordingApplication
        {
            Verdict = _ => new(new TaskCompletionSource<PublishVerdict>().Task),
        };
        await using var fixture = new ListenerFixture(application: application);
        await using var client = await fixture.ConnectAsync("a");
        var publish = client.PublishAsync("own/a/x", "y"u8.ToArray()).AsTask();
        await ListenerFixture.NextAsync(application.Messages);

        await fixture.Listener.DisposeAsync();

        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() =>
            publish.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.True(failure.IsTransient);
        Assert.Equal(MqttReasonCode.ServerShuttingDown, failure.Reason.ReasonCode);
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
        await using var fixture = new ListenerFixture(application: application);
        await using var client = await fixture.ConnectAsync("a");

        Assert.Equal(0, fixture.Listener.PublishesUnderWay);
        var publish = client.PublishAsync("own/a/x", "y"u8.ToArray()).AsTask();
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
        await using var fixture = new ListenerFixture();
        var options = fixture.ClientOptions("a");
        await using (var client = await fixture.ConnectAsync("a")) await fixture.Listener.DisposeAsync();

        await using var again = new MqttListener(
            new MqttListenerOptions { Port = options.Port }, new RecordingApplication(), TimeProvider.System);
        again.Start();

        await using var second = new MqttClient(options, TimeProvider.System);
        Assert.True((await second.ConnectAsync()).IsSuccess);
    }

    [Fact]
    public async Task Wrong_password_is_refused_with_its_reason_code()
    {
        await using var fixture = new ListenerFixture();
        await using var client = new MqttClient(
            fixture.ClientOptions("a") with { Password = "wrong"u8.ToArray() }, TimeProvider.System);

        var result = await client.ConnectAsync();

        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, result.ReasonCode);
        Assert.Equal("wrong user name or password", result.ReasonString);
        Assert.Equal(1, fixture.Listener.Counters.Refused(MqttReasonCode.BadUserNameOrPassword));
        Assert.False((await client.Closed).IsTransient);
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
