using System.Buffers;
using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Mqtt;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.MqttSessions.Sessions;

/// <summary>Whole sessions over links in memory, with loops and timers, on one thread and a simulated clock.</summary>
public sealed class PumpedSessionTests
{
    private readonly Pump _pump = new();
    private readonly TracingApplication _application;
    private readonly MqttListener _listener;
    private readonly List<Task> _serving = [];

    public PumpedSessionTests()
    {
        _application = new TracingApplication(_pump.Clock);
        _listener = new MqttListener(new MqttListenerOptions(), _application, _pump.Clock);
    }

    [Fact]
    public void Verdicts_that_take_their_time_come_back_in_order() => _pump.Run(async () =>
    {
        var link = await ConnectAsync();
        for (ushort id = 1; id <= 32; id++) await link.SendAsync(Message(id));

        for (ushort id = 1; id <= 32; id++)
        {
            var ack = await link.NextAsync<MqttPubAckPacket>();
            Assert.Equal((id, $"receipt {id}"), (ack.PacketIdentifier, ack.UserProperties[0].ReadValueAsString()));
        }

        Assert.Equal(32, _application.RunningMost);
        await link.SendAsync(new MqttDisconnectPacket());
        Assert.Null(await link.NextAsync());
        await link.HangUpAsync();
        await Task.WhenAll(_serving);
        Assert.Equal(["connected", "disconnected Peer"], _application.Trace);
        Assert.False(link.IsCut);
    });

    [Fact]
    public void Idle_connection_lives_on_pings() => _pump.Run(async () =>
    {
        var link = await ConnectAsync(keepAlive: 60);
        for (var pings = 0; pings < 900; pings++)
        {
            await Task.Delay(TimeSpan.FromSeconds(89), _pump.Clock);
            await link.SendAsync(MqttPingReqPacket.Instance);
            await link.NextAsync<MqttPingRespPacket>();
        }
    });

    [Theory]
    [InlineData(10, 15)]
    [InlineData(0, 450)]
    [InlineData(3600, 450)]
    public void Silence_ends_the_session_by_the_keep_alive_or_its_cap(ushort keepAlive, int seconds) =>
        _pump.Run(async () =>
        {
            var link = await ConnectAsync(keepAlive);

            var bye = await link.NextAsync<MqttDisconnectPacket>();

            Assert.Equal(MqttDisconnectReasonCode.KeepAliveTimeout, bye.ReasonCode);
            Assert.Equal(TimeSpan.FromSeconds(seconds), _pump.Clock.Elapsed);
            Assert.Null(await link.NextAsync());
            Assert.Equal(1, _listener.Counters.KeepAliveTimeouts);
        });

    [Fact]
    public void Withheld_pubacks_neither_end_the_session_nor_its_keep_alive() => _pump.Run(async () =>
    {
        var verdicts = new TaskCompletionSource();
        _application.Verdicts = verdicts.Task;
        var link = await ConnectAsync(keepAlive: 60);
        for (ushort id = 1; id <= 32; id++) await link.SendAsync(Message(id));
        for (var minutes = 0; minutes < 600; minutes++)
        {
            await Task.Delay(TimeSpan.FromMinutes(1), _pump.Clock);
            await link.SendAsync(MqttPingReqPacket.Instance);
            await link.NextAsync<MqttPingRespPacket>();
        }

        Assert.Equal(32, _listener.Counters.MessagesReceived);
        verdicts.SetResult();
        for (ushort id = 1; id <= 32; id++)
            Assert.Equal(id, (await link.NextAsync<MqttPubAckPacket>()).PacketIdentifier);
    });

    [Fact]
    public void Bytes_in_flight_beyond_the_limit_wait_in_the_link_and_are_taken_later() => _pump.Run(async () =>
    {
        var listener = new MqttListener(
            new MqttListenerOptions { Limits = new MqttSessionLimits { InFlightBytesMax = 100 } }, _application,
            _pump.Clock);
        var verdicts = new TaskCompletionSource();
        _application.Verdicts = verdicts.Task;
        var link = await ConnectAsync(listener: listener);
        for (ushort id = 1; id <= 20; id++) await link.SendAsync(Message(id, payloadBytes: 40));
        await Task.Delay(TimeSpan.FromHours(1), _pump.Clock);

        Assert.Equal(2, listener.Counters.MessagesReceived);
        verdicts.SetResult();
        for (ushort id = 1; id <= 20; id++)
            Assert.Equal(id, (await link.NextAsync<MqttPubAckPacket>()).PacketIdentifier);
    });

    [Fact]
    public void Client_that_hangs_up_ends_its_session() => _pump.Run(async () =>
    {
        var link = await ConnectAsync();
        await link.SendAsync(Message(1));
        await link.HangUpAsync();
        await Task.WhenAll(_serving);

        Assert.Equal(["connected", "disconnected ConnectionLost"], _application.Trace);
    });

    [Fact]
    public void Client_that_does_not_read_is_cut_and_others_are_not() => _pump.Run(async () =>
    {
        var slow = await ConnectAsync();
        var fast = await ConnectAsync(clientId: "b");
        await slow.SendAsync(MqttPingReqPacket.Instance);
        await Task.Delay(TimeSpan.FromSeconds(59), _pump.Clock);
        Assert.False(slow.IsCut);

        await Task.Delay(TimeSpan.FromSeconds(2), _pump.Clock);

        Assert.Equal(1, _listener.Counters.StalledOutputs);
        await _serving[0];
        Assert.True(slow.IsCut);
        await fast.SendAsync(MqttPingReqPacket.Instance);
        await fast.NextAsync<MqttPingRespPacket>();
    });

    [Fact]
    public void Take_over_tells_the_application_in_turn_however_slow_it_is() => _pump.Run(async () =>
    {
        _application.ConnectedTakes = TimeSpan.FromSeconds(3);
        var first = Open();
        await first.SendAsync(MqttBytes.Connect("a"));
        await Task.Delay(TimeSpan.FromSeconds(1), _pump.Clock);
        var second = await ConnectAsync();

        Assert.Null(await first.NextAsync());
        Assert.Equal(["connected", "disconnected TakenOver", "connected"], _application.Trace);
        var third = await ConnectAsync();
        Assert.Equal(
            MqttDisconnectReasonCode.SessionTakenOver,
            (await second.NextAsync<MqttDisconnectPacket>()).ReasonCode);
        Assert.Null(await second.NextAsync());
        await third.SendAsync(MqttPingReqPacket.Instance);
        await third.NextAsync<MqttPingRespPacket>();
        Assert.Equal((2, 2), (_listener.Counters.TakeOvers, _listener.Counters.ConnectionsAccepted));
    });

    [Fact]
    public void Slow_connect_is_cut_and_slow_authentication_is_told_so() => _pump.Run(async () =>
    {
        _application.AuthenticationTakes = TimeSpan.FromMinutes(1);
        var half = Open();
        await half.SendAsync(0x10, 20, 0, 4);
        var waiting = Open();
        await waiting.SendAsync(MqttBytes.Connect("a"));

        Assert.Null(await half.NextAsync());
        Assert.Equal(MqttConnectReasonCode.ServerBusy, (await waiting.NextAsync<MqttConnAckPacket>()).ReasonCode);
        Assert.Equal(TimeSpan.FromSeconds(10), _pump.Clock.Elapsed);
        Assert.Equal(2, _listener.Counters.ConnectTimeouts);
    });

    [Fact]
    public void Failing_application_is_answered_with_0x80_and_counted() => _pump.Run(async () =>
    {
        var link = await ConnectAsync();
        var failing = Message(1);
        failing.Payload = new ReadOnlySequence<byte>("fail"u8.ToArray());
        await link.SendAsync(failing);

        Assert.Equal(MqttPubAckReasonCode.UnspecifiedError, (await link.NextAsync<MqttPubAckPacket>()).ReasonCode);
        Assert.Equal(1, _listener.Counters.ApplicationErrors);
    });

    private async Task<PipeLink> ConnectAsync(
        ushort keepAlive = 60, string clientId = "a", MqttListener? listener = null)
    {
        var link = Open(listener);
        await link.SendAsync(MqttBytes.Connect(clientId, keepAlive));
        var answer = await link.NextAsync<MqttConnAckPacket>();
        Assert.Equal((MqttConnectReasonCode.Success, false), (answer.ReasonCode, answer.IsSessionPresent));
        return link;
    }

    private PipeLink Open(MqttListener? listener = null)
    {
        var link = new PipeLink();
        _serving.Add((listener ?? _listener).ServeAsync(link));
        return link;
    }

    private static MqttPublishPacket Message(ushort id, int payloadBytes = 0) => new()
    {
        Topic = "own/x",
        Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"{id}".PadRight(payloadBytes))),
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        PacketIdentifier = id,
    };

    /// <summary>Takes everything once it may, later messages faster than earlier ones.</summary>
    private sealed class TracingApplication(TimeProvider time) : IMqttApplication
    {
        private int _running;

        public List<string> Trace { get; } = [];
        public int RunningMost { get; private set; }
        public TimeSpan AuthenticationTakes { get; set; }
        public TimeSpan ConnectedTakes { get; set; }
        public Task Verdicts { get; set; } = Task.CompletedTask;

        public async ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct)
        {
            if (AuthenticationTakes > TimeSpan.Zero)
                await Task.Delay(AuthenticationTakes, time, CancellationToken.None);
            return AuthenticateResult.Accepted;
        }

        public async ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct)
        {
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
            string text = Encoding.UTF8.GetString(message.Payload.Span).Trim();
            if (text == "fail") throw new InvalidOperationException("asked to");
            RunningMost = Math.Max(RunningMost, ++_running);
            await Verdicts;
            await Task.Delay(TimeSpan.FromMilliseconds(1000 - (7 * int.Parse(text))), time, CancellationToken.None);
            _running--;
            return new PublishVerdict(MqttReasonCode.Success, [new("receipt", $"receipt {text}")]);
        }
    }
}
