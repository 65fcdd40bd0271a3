using System.Net.Sockets;
using System.Text;
using Telemetry.Mqtt;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Mqtt;

/// <summary>The whole client and listener, loops and timers included, on one thread and a simulated clock.</summary>
public sealed class PumpedConnectionTests
{
    private static readonly MqttClientOptions Options =
        new() { Host = "h", ClientId = "a", AllowSynchronousContinuations = true };

    private readonly Pump _pump = new();
    private readonly TracingApplication _application;
    private readonly MqttListener _listener;
    private LinkStream? _link;

    public PumpedConnectionTests()
    {
        _application = new TracingApplication(_pump.Clock);
        _listener = new MqttListener(new MqttListenerOptions(), _application, _pump.Clock);
    }

    [Fact]
    public void Verdicts_that_take_their_time_come_back_in_order() => _pump.Run(async () =>
    {
        var client = await ConnectAsync();
        var publishes = Enumerable.Range(1, 100)
            .Select(i => client.PublishAsync("own/x", Encoding.UTF8.GetBytes($"{i}")).AsTask()).ToArray();
        var results = await Task.WhenAll(publishes);

        Assert.Equal(
            Enumerable.Range(1, 100).Select(i => $"receipt {i}"), results.Select(r => r.UserProperties[0].Value));
        Assert.Equal(32, _application.RunningMost);
        await client.DisconnectAsync();
        Assert.Equal(["connected", "disconnected Peer"], _application.Trace);
    });

    [Fact]
    public void Idle_connection_lives_on_pings() => _pump.Run(async () =>
    {
        var client = await ConnectAsync();
        await Task.Delay(TimeSpan.FromHours(20), _pump.Clock);
        Assert.True(client.IsConnected);
        await client.DisposeAsync();
    });

    [Fact]
    public void Withheld_pubacks_neither_end_the_session_nor_its_keep_alive() => _pump.Run(async () =>
    {
        var verdicts = new TaskCompletionSource();
        _application.Verdicts = verdicts.Task;
        var client = await ConnectAsync();
        var publishes = Enumerable.Range(1, 100)
            .Select(i => client.PublishAsync("own/x", Encoding.UTF8.GetBytes($"{i}")).AsTask()).ToArray();

        await Task.Delay(TimeSpan.FromHours(20), _pump.Clock);

        Assert.Equal(32, _listener.Counters.MessagesReceived);
        Assert.True(client.IsConnected);
        verdicts.SetResult();
        Assert.All(await Task.WhenAll(publishes), result => Assert.True(result.IsSuccess));
        Assert.Equal(100, _listener.Counters.MessagesReceived);
        await client.DisposeAsync();
    });

    [Fact]
    public void Cut_link_ends_both_sides_and_fails_what_waited() => _pump.Run(async () =>
    {
        var client = await ConnectAsync();
        var publish = client.PublishAsync("own/x", "1"u8.ToArray()).AsTask();
        await Task.Delay(TimeSpan.FromMilliseconds(1), _pump.Clock);
        _link!.Cut();

        Assert.True((await Assert.ThrowsAsync<MqttConnectionException>(() => publish)).IsTransient);
        Assert.Equal(MqttCloseKind.ConnectionLost, (await client.Closed).Kind);
        await client.DisposeAsync();
        Assert.Equal(["connected", "disconnected ConnectionLost"], _application.Trace);
    });

    [Fact]
    public void Take_over_tells_the_application_in_turn_however_slow_it_is() => _pump.Run(async () =>
    {
        _application.ConnectedTakes = TimeSpan.FromSeconds(3);
        var first = NewClient();
        var connecting = first.ConnectAsync();
        await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);
        var second = await ConnectAsync();

        await Assert.ThrowsAsync<MqttConnectionException>(() => connecting);
        Assert.Equal(["connected", "disconnected TakenOver", "connected"], _application.Trace);
        Assert.True(second.IsConnected);
        await second.DisconnectAsync();
        Assert.Equal(1, _listener.Counters.TakeOvers);
        Assert.Equal(1, _listener.Counters.ConnectionsAccepted);
    });

    [Fact]
    public void Connect_attempt_without_an_answer_times_out() => _pump.Run(async () =>
    {
        await using var client = new MqttClient(
            Options, _pump.Clock, null, _ => new((LinkStream.Pair().Item1, (Socket?)null)));
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.Equal(Options.ConnectTimeout, _pump.Clock.Elapsed);
    });

    [Fact]
    public void Client_that_is_disposed_while_it_dials_does_not_connect() => _pump.Run(async () =>
    {
        var (near, far) = LinkStream.Pair();
        var client = new MqttClient(Options, _pump.Clock, null, async ct =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock, ct);
            return (near, null);
        });
        var connecting = client.ConnectAsync();
        await client.DisposeAsync();

        await Assert.ThrowsAsync<MqttConnectionException>(() => connecting);
        Assert.Equal(0, await far.ReadAsync(new byte[10]));
    });

    [Fact]
    public void Publish_on_a_closed_client_fails_in_its_task() => _pump.Run(async () =>
    {
        var client = await ConnectAsync();
        await client.DisposeAsync();
        var publish = client.PublishAsync("own/x", "1"u8.ToArray());
        Assert.True(publish.IsFaulted);
        await Assert.ThrowsAsync<MqttConnectionException>(() => publish.AsTask());
    });

    // An agent that was stopped in that moment ended with an error.
    [Fact]
    public void Dial_that_is_refused_in_the_moment_of_a_cancellation_is_cancelled() => _pump.Run(async () =>
    {
        using var stop = new CancellationTokenSource();
        await using var client = new MqttClient(Options, _pump.Clock, null, _ =>
        {
            stop.Cancel();
            throw new SocketException((int)SocketError.ConnectionRefused);
        });
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ConnectAsync(stop.Token));
        Assert.Equal(stop.Token, cancelled.CancellationToken);
    });

    [Fact]
    public void Dial_that_hangs_times_out() => _pump.Run(async () =>
    {
        await using var client = new MqttClient(Options, _pump.Clock, null, async ct =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _pump.Clock, ct);
            throw new InvalidOperationException();
        });
        var failure = await Assert.ThrowsAsync<MqttConnectionException>(() => client.ConnectAsync());
        Assert.IsType<TimeoutException>(failure.InnerException);
        Assert.True(failure.IsTransient);
    });

    [Fact]
    public void Failing_callback_of_the_client_ends_the_connection_without_a_puback() => _pump.Run(async () =>
    {
        var client = NewClient(_ => throw new InvalidOperationException("no"));
        await client.ConnectAsync();
        await client.SubscribeAsync(["own/x"], MqttQos.AtLeastOnce);
        Assert.Equal(MqttSendOutcome.Queued, _application.Session!.TrySend("own/x", default, MqttQos.AtLeastOnce));
        Assert.Equal(MqttCloseKind.ApplicationError, (await client.Closed).Kind);
        await client.DisposeAsync();
    });

    [Fact]
    public void Failing_application_is_answered_with_0x80_and_counted() => _pump.Run(async () =>
    {
        var client = await ConnectAsync();
        var result = await client.PublishAsync("own/x", "fail"u8.ToArray());
        Assert.Equal(MqttReasonCode.UnspecifiedError, result.ReasonCode);
        Assert.Equal(1, _listener.Counters.ApplicationErrors);
        await client.DisposeAsync();
    });

    private async Task<MqttClient> ConnectAsync()
    {
        var client = NewClient();
        Assert.Equal(MqttReasonCode.Success, (await client.ConnectAsync()).ReasonCode);
        return client;
    }

    private MqttClient NewClient(Func<MqttMessage, ValueTask>? onMessage = null) =>
        new(Options, _pump.Clock, onMessage, ct =>
        {
            (_link, var far) = LinkStream.Pair();
            _ = _listener.ServeAsync(far);
            return new((_link, (Socket?)null));
        });

    /// <summary>Takes everything once it may, later messages faster than earlier ones.</summary>
    private sealed class TracingApplication(TimeProvider time) : IMqttApplication
    {
        private int _running;

        public List<string> Trace { get; } = [];
        public int RunningMost { get; private set; }
        public TimeSpan ConnectedTakes { get; set; }
        public Task Verdicts { get; set; } = Task.CompletedTask;
        public IMqttServerSession? Session { get; private set; }

        public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct) =>
            new(AuthenticateResult.Accepted);

        public async ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct)
        {
            Session = session;
            Trace.Add("connected");
            if (ConnectedTakes > TimeSpan.Zero) await Task.Delay(ConnectedTakes, time, CancellationToken.None);
        }

        public void Disconnected(IMqttServerSession session, MqttCloseReason reason) =>
            Trace.Add($"disconnected {reason.Kind}");

        public MqttReasonCode AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos) => default;

        public MqttReasonCode AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos) => default;

        public async ValueTask<PublishVerdict> PublishedAsync(
            IMqttServerSession session, MqttMessage message, CancellationToken ct)
        {
            string text = Encoding.UTF8.GetString(message.Payload.Span);
            if (text == "fail") throw new InvalidOperationException("asked to");
            RunningMost = Math.Max(RunningMost, ++_running);
            await Verdicts;
            await Task.Delay(TimeSpan.FromMilliseconds(1000 - (7 * int.Parse(text))), time, CancellationToken.None);
            _running--;
            return new PublishVerdict(MqttReasonCode.Success, [new("receipt", $"receipt {text}")]);
        }
    }
}
