using Telemetry.Ingress;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.MqttSessions;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Mqtt;
using Telemetry.TestKit.Servers;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Integration.Ingress;

public sealed class MqttIngressTests
{
    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [NatsFact]
    public async Task Puback_carries_the_receipt_of_what_is_in_the_stream()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();

        var live = await device.Publish("tm/1/gw-1/live", Frame());
        var backlog = await device.Publish("tm/1/gw-1/backlog", Frame(Lane.Backlog));
        var second = await device.Publish("tm/1/gw-1/live", Frame(first: 10));

        Assert.Equal(
            [new Receipt(StreamKind.Live, 1), new Receipt(StreamKind.Backlog, 1), new Receipt(StreamKind.Live, 2)],
            new[] { live, backlog, second }.Select(ReceiptOf));
        var stored = await stand.Nats.Log.ReadAsync(IngressStand.Partition, StreamKind.Live, 2, default);
        Assert.Equal(Gateway, stored!.Gateway);
        Assert.Equal(Frame(first: 10), stored.Data.ToArray());
        Assert.Equal("gw-1/0000000000000009/live/10+3/00000007-1", stored.MessageId);
    }

    [NatsFact]
    public async Task Broken_checksum_is_refused_with_its_reason_counted_and_in_no_stream()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();
        var broken = Frame();
        broken[^20] ^= 1;

        var result = await device.Publish("tm/1/gw-1/live", broken);

        Assert.Equal(MqttReasonCode.PayloadFormatInvalid, result.ReasonCode);
        Assert.Contains("checksum", result.ReasonString, StringComparison.Ordinal);
        Assert.Equal(1, stand.Counters[IngressEvent.FrameMalformed]);
        Assert.Equal(0, (await stand.Nats.Log.StateAsync(0, StreamKind.Live, default))!.Value.Last);
        Assert.Equal(MqttReasonCode.Success, (await device.Publish("tm/1/gw-1/live", Frame())).ReasonCode);
    }

    [NatsFact]
    public async Task Topics_of_others_are_refused_and_the_session_goes_on()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();

        Assert.Equal(MqttReasonCode.NotAuthorized, (await device.Publish("tm/1/gw-2/live", Frame())).ReasonCode);
        Assert.Equal(MqttReasonCode.TopicNameInvalid, (await device.Publish("tm/1/gw-1/other", Frame())).ReasonCode);
        foreach (var filter in new[] { "tm/1/gw-2/down", "#", "tm/1/+/down", "tm/1/gw-1/live" })
        {
            var subscribed = await device.Client.SubscribeAsync(filter);
            Assert.Equal([MqttReasonCode.NotAuthorized], subscribed);
        }

        Assert.Equal(5, stand.Counters[IngressEvent.TopicForeign]);
        Assert.Equal(MqttReasonCode.Success, (await device.Publish("tm/1/gw-1/live", Frame())).ReasonCode);
    }

    [NatsFact]
    public async Task Message_without_acknowledgement_is_counted_and_told_with_the_next_acknowledgement()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();

        await device.Client.PublishAsync("tm/1/gw-1/live", Frame(), acknowledged: false);
        await device.Client.PublishAsync("tm/1/gw-2/live", Frame(), acknowledged: false);
        var next = await device.Publish("tm/1/gw-1/live", Frame(first: 10));
        var afterThat = await device.Publish("tm/1/gw-1/live", Frame(first: 20));

        // Of the two that nothing acknowledges none is in the log.
        Assert.Equal(new Receipt(StreamKind.Live, 1), ReceiptOf(next));
        Assert.Equal(
            "2 messages of QoS 0 were thrown away, as nothing would acknowledge them: publish with QoS 1",
            next.ReasonString);
        Assert.Null(afterThat.ReasonString);
        Assert.Equal(2, stand.Counters[IngressEvent.Qos0Refused]);
        Assert.Equal(2, stand.Ingress.ListenerCounters.UnauthorizedPublishes);
    }

    [NatsFact]
    public async Task Strangers_are_refused_with_their_reason()
    {
        await using var stand = await IngressStand.Start();

        await using var wrong = await stand.Connect(password: "two");
        await using var borrowed = await stand.Connect(clientId: "gw-2");

        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, wrong.Connected!.ReasonCode);
        Assert.Equal(MqttReasonCode.ClientIdentifierNotValid, borrowed.Connected!.ReasonCode);
        Assert.Equal(2, stand.Counters[IngressEvent.ConnectRefused]);
    }

    [NatsFact]
    public async Task Puback_is_withheld_while_the_log_is_down_and_comes_when_it_is_back()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();
        await device.Publish("tm/1/gw-1/live", Frame());

        await stand.Nats.Server.Kill();
        var publishing = device.Publish("tm/1/gw-1/live", Frame(first: 10));
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.False(publishing.IsCompleted);
        await stand.Nats.Server.Restart();

        Assert.Equal(new Receipt(StreamKind.Live, 2), ReceiptOf(await publishing.WaitAsync(Soon)));
        Assert.Equal(
            (2L, 0L), (stand.Counters[IngressEvent.FrameAppended], stand.Counters[IngressEvent.LogOutOfReach]));
    }

    [NatsFact]
    public async Task Log_that_stays_away_is_told_when_the_patience_ends()
    {
        var options = new IngressOptions { Partitions = 1, AppendPatience = TimeSpan.FromSeconds(1) };
        await using var stand = await IngressStand.Start(options);
        await using var device = await stand.Connect();
        await stand.Nats.Server.Kill();

        var result = await device.Publish("tm/1/gw-1/live", Frame()).WaitAsync(Soon);

        Assert.Equal(MqttReasonCode.ImplementationSpecificError, result.ReasonCode);
        Assert.Equal(1, stand.Counters[IngressEvent.LogOutOfReach]);
    }

    [NatsFact]
    public async Task Wiped_log_takes_frames_again_once_a_processor_has_made_its_streams()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();
        await device.Publish("tm/1/gw-1/live", Frame());
        await stand.Nats.WipeAsync(IngressStand.Partition);

        var publishing = device.Publish("tm/1/gw-1/live", Frame(first: 10));
        await stand.Nats.Log.EnsureStreamsAsync(IngressStand.Partition, default);

        Assert.Equal(new Receipt(StreamKind.Live, 1), ReceiptOf(await publishing.WaitAsync(Soon)));
    }

    [NatsFact]
    public async Task Full_stream_is_told_and_the_other_lane_goes_on()
    {
        await using var stand = await IngressStand.Start(
            log: FrameLogStandOptions.Ordinary with { LiveBytesMax = 64 * 1024 });
        await using var device = await stand.Connect();
        var codes = new List<MqttReasonCode>();
        for (var i = 0; i < 20; i++)
        {
            codes.Add(
                (await device.Publish("tm/1/gw-1/live", Frame(first: 1 + (1000 * i), readings: 1000))).ReasonCode);
        }

        Assert.Equal(MqttReasonCode.Success, codes[0]);
        Assert.Equal(MqttReasonCode.QuotaExceeded, codes[^1]);
        Assert.Equal(2, codes.Distinct().Count());
        Assert.Equal(codes.Count(code => code == MqttReasonCode.QuotaExceeded), stand.Counters[IngressEvent.LogFull]);
        Assert.Equal(
            (1L, (long)codes.Count(code => code == MqttReasonCode.Success)),
            await stand.Nats.Log.StateAsync(0, StreamKind.Live, default) is { } state
                ? (state.First, state.Last) : default);
        Assert.Equal(
            MqttReasonCode.Success, (await device.Publish("tm/1/gw-1/backlog", Frame(Lane.Backlog))).ReasonCode);
    }

    [NatsFact]
    public async Task Hello_needs_an_owner_and_what_it_says_comes_down()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();
        await device.Client.SubscribeAsync("tm/1/gw-1/down");
        Assert.Equal(
            MqttReasonCode.ImplementationSpecificError, (await device.Publish("tm/1/gw-1/hello", Hello())).ReasonCode);
        await using var owner = await stand.Nats.ControlChannel.ServeHellosAsync(
            0,
            (gateway, hello) => _ = stand.Nats.ControlChannel.SendDownAsync(gateway, Answer(1), default).AsTask(),
            default);

        Assert.Equal(MqttReasonCode.Success, (await device.Publish("tm/1/gw-1/hello", Hello())).ReasonCode);

        Assert.True(device.Received.TryTake(out var answer, Soon));
        Assert.Equal(Answer(1), answer);
    }

    [NatsFact]
    public async Task What_came_down_before_the_subscription_is_delivered_after_it()
    {
        await using var stand = await IngressStand.Start();
        await using var device = await stand.Connect();

        await stand.Nats.ControlChannel.SendDownAsync(Gateway, Answer(1), default);
        await device.Client.SubscribeAsync("tm/1/gw-1/down");

        Assert.True(device.Received.TryTake(out var answer, Soon));
        Assert.Equal(Answer(1), answer);
    }

    [NatsFact]
    public async Task Second_session_of_a_client_id_takes_over_and_hears_what_comes_down()
    {
        await using var stand = await IngressStand.Start();
        await using var first = await stand.Connect();
        await using var second = await stand.Connect();
        await second.Client.SubscribeAsync("tm/1/gw-1/down");

        var closed = await first.Client.Closed.WaitAsync(Soon);
        await stand.Nats.ControlChannel.SendDownAsync(Gateway, Answer(1), default);

        Assert.Equal(MqttReasonCode.SessionTakenOver, closed);
        Assert.True(second.Received.TryTake(out _, Soon));
        Assert.Equal(MqttReasonCode.Success, (await second.Publish("tm/1/gw-1/live", Frame())).ReasonCode);
        Assert.Equal(
            (2L, 1L), (stand.Counters[IngressEvent.SessionOpened], stand.Counters[IngressEvent.SessionClosed]));
    }

    [NatsFact]
    public async Task Stop_waits_for_the_pubacks_that_are_awaited()
    {
        var stand = await IngressStand.Start();
        await using var device = await stand.Connect();
        var publishing = Enumerable.Range(0, 20)
            .Select(i => device.Publish("tm/1/gw-1/live", Frame(first: 1 + (3 * i)))).ToArray();
        await publishing[0];

        await stand.Ingress.DisposeAsync();

        // Each was taken with its receipt, or refused or cut before it was begun; none is taken and unacknowledged.
        var taken = 0;
        foreach (var publish in publishing)
        {
            try
            {
                taken += (await publish).IsSuccess ? 1 : 0;
            }
            catch (IOException)
            {
                Assert.Equal(MqttReasonCode.ServerShuttingDown, await device.Client.Closed);
            }
        }

        Assert.Equal(taken, (await stand.Nats.Log.StateAsync(0, StreamKind.Live, default))!.Value.Last);
        await stand.Nats.DisposeAsync();
    }

    private static Receipt ReceiptOf(TestMqttAnswer result)
    {
        Assert.True(result.IsSuccess, $"{result.ReasonCode}: {result.ReasonString}");
        var property = Assert.Single(result.UserProperties);
        Assert.Equal(Receipt.PropertyName, property.Name);
        Assert.True(Receipt.TryParse(property.Value, out var receipt));
        return receipt;
    }
}
