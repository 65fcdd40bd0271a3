using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Telemetry.Integration.MqttSessions;
using Telemetry.Mqtt;
using Telemetry.Testing.Servers;
using Telemetry.Testing.Time;

namespace Telemetry.Integration.Mqtt;

/// <summary>Our client against a real broker.</summary>
public sealed class MosquittoBrokerTests
{
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(20);

    [MosquittoFact]
    public async Task Message_goes_through_the_broker_with_its_user_properties()
    {
        await using var broker = await MosquittoServer.Start();
        var received = Channel.CreateBounded<MqttMessage>(10);
        await using var receiver = await ConnectAsync(broker, "r", m =>
        {
            received.Writer.TryWrite(m);
            return ValueTask.CompletedTask;
        });
        await using var sender = await ConnectAsync(broker, "s");

        Assert.Equal(MqttReasonCode.NoMatchingSubscribers,
            (await sender.PublishAsync("t/1", "x"u8.ToArray())).ReasonCode);
        Assert.Equal([MqttReasonCode.GrantedQos1],
            (await receiver.SubscribeAsync(["t/+"], MqttQos.AtLeastOnce)).ReasonCodes);
        var result = await sender.PublishAsync("t/2", "ä€𝄞"u8.ToArray(), MqttQos.AtLeastOnce,
            [new("k", "1"), new("k", "2")]);
        Assert.Equal(MqttReasonCode.Success, result.ReasonCode);

        var message = await ListenerFixture.NextAsync(received);
        Assert.Equal(("t/2", "ä€𝄞", MqttQos.AtLeastOnce),
            (message.Topic, Encoding.UTF8.GetString(message.Payload.Span), message.Qos));
        Assert.Equal([new MqttUserProperty("k", "1"), new("k", "2")], message.UserProperties);
        Assert.True((await receiver.UnsubscribeAsync(["t/+"])).IsSuccess);
        Assert.Equal(MqttReasonCode.NoMatchingSubscribers,
            (await sender.PublishAsync("t/1", "x"u8.ToArray())).ReasonCode);
    }

    [MosquittoFact]
    public async Task Wrong_password_is_a_refusal_that_does_not_pass()
    {
        await using var broker = await MosquittoServer.Start(new MosquittoOptions
        {
            Users = new Dictionary<string, string> { ["g1"] = "secret" },
        });
        var options = Options(broker, "g1") with { UserName = "g1" };
        await using var wrong = new MqttClient(options with { Password = "wrong"u8.ToArray() }, TimeProvider.System);
        await using var right = new MqttClient(options with { Password = "secret"u8.ToArray() }, TimeProvider.System);

        Assert.Equal(MqttReasonCode.NotAuthorized, (await wrong.ConnectAsync()).ReasonCode);
        Assert.False((await wrong.Closed).IsTransient);
        Assert.True((await right.ConnectAsync()).IsSuccess);
    }

    [MosquittoFact]
    public async Task Receive_maximum_of_the_broker_is_kept_over_many_messages()
    {
        await using var broker =
            await MosquittoServer.Start(new MosquittoOptions { Configuration = "max_inflight_messages 5" });
        int received = 0;
        // mosquitto 2.0.11 now and then sends far beyond its own limit and a receiver's (72 unacknowledged messages
        // were seen, with limits of 5 and 32), which our client rightly answers with 0x93: the receiver takes all of
        // them.
        await using var receiver = new MqttClient(
            Options(broker, "r") with { Limits = new MqttSessionLimits { ReceiveMaximum = 1000 } }, TimeProvider.System,
            _ =>
            {
                Interlocked.Increment(ref received);
                return ValueTask.CompletedTask;
            });
        Assert.True((await receiver.ConnectAsync()).IsSuccess);
        await receiver.SubscribeAsync(["t/#"], MqttQos.AtLeastOnce);
        await using var sender = new MqttClient(Options(broker, "s"), TimeProvider.System);
        Assert.Equal(5, (await sender.ConnectAsync()).ReceiveMaximum);

        var publishes = Enumerable.Range(0, 1000).Select(i => sender.PublishAsync($"t/{i}", new byte[500]).AsTask())
            .ToArray();

        Assert.All(await Task.WhenAll(publishes).WaitAsync(PatienceMax), r => Assert.True(r.IsSuccess));
        await ListenerFixture.UntilAsync(() => Volatile.Read(ref received) == 1000);
    }

    [MosquittoFact]
    public async Task Shared_subscription_gives_each_message_to_one_of_its_members()
    {
        await using var broker = await MosquittoServer.Start();
        var received = new ConcurrentBag<(string Member, string Text)>();
        Func<MqttMessage, ValueTask> Member(string name) => m =>
        {
            received.Add((name, Encoding.UTF8.GetString(m.Payload.Span)));
            return ValueTask.CompletedTask;
        };
        await using var one = await ConnectAsync(broker, "1", Member("1"));
        await using var two = await ConnectAsync(broker, "2", Member("2"));
        foreach (var member in new[] { one, two })
            Assert.True((await member.SubscribeAsync(["$share/ingress/t/#"], MqttQos.AtLeastOnce)).IsSuccess);
        await using var sender = await ConnectAsync(broker, "s");

        for (int i = 0; i < 40; i++)
            Assert.True((await sender.PublishAsync("t/x", Encoding.UTF8.GetBytes($"{i}"))).IsSuccess);

        await ListenerFixture.UntilAsync(() => received.Count >= 40);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}").Order(), received.Select(r => r.Text).Order());
        Assert.Equal(2, received.Select(r => r.Member).Distinct().Count());
    }

    [MosquittoFact]
    public async Task Killed_broker_ends_the_connection_and_a_new_client_gets_through_after_its_restart()
    {
        await using var broker = await MosquittoServer.Start();
        await using var client = await ConnectAsync(broker, "a");
        await broker.Kill();
        Assert.Equal(MqttCloseKind.ConnectionLost, (await client.Closed.WaitAsync(PatienceMax)).Kind);
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(async () =>
            await client.PublishAsync("t", new byte[1]));
        Assert.True(failure.IsTransient);

        var backoff = new ReconnectBackoff(new Random(1))
        {
            First = TimeSpan.FromMilliseconds(50),
            Largest = TimeSpan.FromSeconds(1)
        };
        int attempts = 0;
        Task? restart = null;
        while (true)
        {
            attempts++;
            await using var next = new MqttClient(Options(broker, "a"), TimeProvider.System);
            try
            {
                Assert.True((await next.ConnectAsync()).IsSuccess);
                Assert.True((await next.PublishAsync("t", new byte[1])).IsSuccess);
                break;
            }
            catch (MqttConnectionException e) when (e.IsTransient && attempts < 100)
            {
                restart ??= broker.Restart();
                await Task.Delay(backoff.Next());
            }
        }
        Assert.NotNull(restart);
        await restart;
    }

    [MosquittoFact]
    public async Task Publishes_in_flight_fail_as_transient_when_the_broker_is_killed()
    {
        await using var broker = await MosquittoServer.Start();
        await using var client = await ConnectAsync(broker, "a");
        broker.Process.Signal(ProcessSignal.Stop);
        var publishes = Enumerable.Range(0, 50).Select(_ => client.PublishAsync("t", new byte[100]).AsTask()).ToArray();
        await broker.Kill();

        foreach (var publish in publishes)
            Assert.True((await Assert.ThrowsAsync<MqttConnectionException>(() => publish.WaitAsync(PatienceMax)))
                .IsTransient);
    }

    [MosquittoFact]
    public async Task Broker_that_hangs_is_noticed_by_the_missing_ping_response()
    {
        var clock = new SimulatedClock();
        await using var broker = await MosquittoServer.Start();
        var options = Options(broker, "a");
        await using var client = new MqttClient(options, clock);
        await client.ConnectAsync();
        for (int ping = 0; ping < 3; ping++)
        {
            clock.Advance(options.KeepAlive);
            // The broker answers in turn, so that the ping has its answer when this has.
            Assert.True((await client.PublishAsync("t", new byte[1]).AsTask().WaitAsync(PatienceMax)).IsSuccess);
        }

        broker.Process.Signal(ProcessSignal.Stop);

        clock.Advance(options.KeepAlive);
        using var patience = new CancellationTokenSource(PatienceMax);
        while (!client.Closed.IsCompleted)
        {
            // The limit runs from when the ping was written, which may be only now.
            clock.Advance(options.PingResponseTimeout);
            await Task.Delay(10, patience.Token);
        }
        Assert.Equal(MqttCloseKind.KeepAliveTimeout, (await client.Closed).Kind);
        // The client lingers by its clock until the broker closes too.
        await broker.Kill();
    }

    [MosquittoFact]
    public async Task Nobody_listening_is_a_transient_failure()
    {
        await using var client = new MqttClient(
            new MqttClientOptions { Host = "127.0.0.1", Port = FreePort.Next(), ClientId = "a" }, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
        Assert.True(failure.IsTransient);
        Assert.Equal(MqttCloseKind.ConnectionLost, (await client.Closed).Kind);
    }

    /// <remarks>mosquitto 2.0.11 closes the older connection without a DISCONNECT; ours says 0x8E.</remarks>
    [MosquittoFact]
    public async Task Older_connection_of_a_client_id_ends_when_the_broker_takes_it_over()
    {
        await using var broker = await MosquittoServer.Start();
        await using var first = await ConnectAsync(broker, "a");
        await using var second = await ConnectAsync(broker, "a");
        Assert.True((await first.Closed.WaitAsync(PatienceMax)).IsTransient);
        Assert.True((await second.PublishAsync("t", new byte[1])).IsSuccess);
    }

    private static MqttClientOptions Options(MosquittoServer broker, string clientId) =>
        new() { Host = "127.0.0.1", Port = broker.Port, ClientId = clientId };

    private static async Task<MqttClient> ConnectAsync(
        MosquittoServer broker, string clientId, Func<MqttMessage, ValueTask>? onMessage = null)
    {
        var client = new MqttClient(Options(broker, clientId), TimeProvider.System, onMessage);
        Assert.True((await client.ConnectAsync()).IsSuccess);
        return client;
    }
}
