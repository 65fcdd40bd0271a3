using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Telemetry.Model.Protocol;
using static Telemetry.Integration.Edge.MqttUplink.UplinkRig;

namespace Telemetry.Integration.Edge.MqttUplink;

/// <summary>What a server says, as the uplink passes it on.</summary>
public sealed class UplinkAnswersTests
{
    [Fact]
    public async Task Puback_brings_reason_code_reason_string_and_receipt()
    {
        await using var broker = new ScriptedBroker();
        broker.Answer = publish => Task.FromResult<MqttPubAckPacket?>(new()
        {
            PacketIdentifier = publish.PacketIdentifier,
            ReasonCode = MqttPubAckReasonCode.QuotaExceeded,
            ReasonString = "the log is full",
            UserProperties = [Property("other", "x"), Property(Receipt.PropertyName, "7:ä")],
        });
        await using var connection = await ConnectAsync(broker.Port);

        var outcome = await connection.PublishAsync("t", new byte[10], CancellationToken.None);

        Assert.Equal(
            (0x97, "the log is full", "7:ä", false),
            (outcome.ReasonCode, outcome.Reason, outcome.Receipt, outcome.Accepted));
        Assert.False(connection.Closed.IsCompleted);
    }

    [Theory]
    [InlineData(MqttPubAckReasonCode.Success, true)]
    [InlineData(MqttPubAckReasonCode.NoMatchingSubscribers, true)]
    [InlineData(MqttPubAckReasonCode.PayloadFormatInvalid, false)]
    [InlineData((MqttPubAckReasonCode)0x89, false)]
    public async Task Any_reason_code_of_a_puback_is_an_outcome(MqttPubAckReasonCode code, bool accepted)
    {
        await using var broker = new ScriptedBroker();
        broker.Answer = publish => Task.FromResult<MqttPubAckPacket?>(
            new() { PacketIdentifier = publish.PacketIdentifier, ReasonCode = code });
        await using var connection = await ConnectAsync(broker.Port);

        var outcome = await connection.PublishAsync("t", new byte[10], CancellationToken.None);

        Assert.Equal(
            ((byte)code, (string?)null, (string?)null, accepted),
            (outcome.ReasonCode, outcome.Reason, outcome.Receipt, outcome.Accepted));
    }

    [Theory]
    [InlineData(
        MqttConnectReasonCode.BadUserNameOrPassword, "wrong", false,
        "connecting was refused: 0x86 BadUserNameOrPassword wrong")]
    [InlineData(
        MqttConnectReasonCode.NotAuthorized, null, false,
        "connecting was refused: 0x87 NotAuthorized server refused: NotAuthorized")]
    [InlineData(
        MqttConnectReasonCode.ServerBusy, "later", true, "connecting was refused: 0x89 ServerBusy later")]
    public async Task Refused_connect_says_why_and_whether_it_may_pass(
        MqttConnectReasonCode code, string? reason, bool isTransient, string message)
    {
        await using var broker = new ScriptedBroker { ConnAck = new() { ReasonCode = code, ReasonString = reason } };

        var failure = await RefusedAsync(Options(broker.Port));

        Assert.Equal((message, isTransient), (failure.Message, failure.IsTransient));
    }

    [Fact]
    public async Task Connect_says_who_the_gateway_is_and_begins_a_clean_session()
    {
        await using var broker = new ScriptedBroker();
        await using var connection = await ConnectAsync(Options(broker.Port) with { Password = "one" });

        var connect = Assert.IsType<MqttConnectPacket>(broker.Received[0]);
        Assert.Equal(
            ("gw-1", "gw-1", "one", true, 0u, (ushort)32, (ushort)30),
            (connect.ClientId, connect.Username, Encoding.UTF8.GetString(connect.Password), connect.CleanSession,
                connect.SessionExpiryInterval, connect.ReceiveMaximum, connect.KeepAlivePeriod));
        var filter = Assert.Single(Assert.IsType<MqttSubscribePacket>(broker.Received[1]).TopicFilters);
        Assert.Equal(
            ("tm/1/gw-1/down", MqttQualityOfServiceLevel.AtMostOnce), (filter.Topic, filter.QualityOfServiceLevel));
    }

    [Fact]
    public async Task Session_that_the_server_kept_is_refused()
    {
        await using var broker = new ScriptedBroker { ConnAck = new() { IsSessionPresent = true } };

        var failure = await RefusedAsync(Options(broker.Port));

        Assert.Equal("MQTT connection closed: session present after a clean start", failure.Message);
    }

    [Fact]
    public async Task Messages_come_down_in_order_and_the_oldest_go_when_nobody_reads()
    {
        await using var broker = new ScriptedBroker();
        await using var connection = await ConnectAsync(broker.Port);
        for (var i = 0; i < 100; i++)
        {
            await broker.SendAsync(new MqttPublishPacket { Topic = "tm/1/gw-1/down", Payload = new([(byte)i]) });
        }

        // Answered after all those before it were taken.
        await connection.PublishAsync("t", new byte[1], CancellationToken.None);
        await UntilAsync(() => connection.Down.TryPeek(out var first) && first.Span[0] == 36);

        for (var i = 36; i < 100; i++)
        {
            Assert.True(connection.Down.TryRead(out var message));
            Assert.Equal([(byte)i], message.ToArray());
        }
    }

    [Theory]
    [InlineData(MqttDisconnectReasonCode.SessionTakenOver, null, true, "server disconnected: SessionTakenOver")]
    [InlineData(MqttDisconnectReasonCode.ServerShuttingDown, "back at noon", true, "back at noon")]
    [InlineData(MqttDisconnectReasonCode.NotAuthorized, "no", false, "no")]
    public async Task Disconnect_of_the_server_fails_what_waits_with_its_reason(
        MqttDisconnectReasonCode code, string? reason, bool isTransient, string text)
    {
        await using var broker = new ScriptedBroker { Answer = _ => Task.FromResult<MqttPubAckPacket?>(null) };
        await using var connection = await ConnectAsync(broker.Port);
        var publish = connection.PublishAsync("t", new byte[10], CancellationToken.None).AsTask();
        await UntilAsync(() => broker.Publishes.Any());

        await broker.SendAsync(new MqttDisconnectPacket { ReasonCode = code, ReasonString = reason });

        var failure = await Assert.ThrowsAsync<Telemetry.Edge.Uplink.UplinkException>(
            () => publish.WaitAsync(Patience));
        Assert.Equal(($"MQTT connection closed: {text}", isTransient), (failure.Message, failure.IsTransient));
        await connection.Closed.WaitAsync(Patience);
    }

    private static MqttUserProperty Property(string name, string value) =>
        new(name, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(value));
}
