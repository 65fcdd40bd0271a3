using Telemetry.Ingress;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.TestKit.Time;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Tests.Ingress;

public sealed class IngressCoreTests
{
    private readonly Pump _pump = new();
    private readonly FakeFrameLog _log;
    private readonly FakeControlChannel _control = new();
    private readonly IngressCounters _counters = new();
    private readonly IngressOptions _options = new() { Partitions = 4, AppendsInFlightMax = 3 };
    private readonly IngressCore _core;

    public IngressCoreTests()
    {
        _log = new FakeFrameLog(_pump.Clock);
        _core = new IngressCore(_log, _control, _options, _pump.Clock, _counters);
    }

    [Theory]
    [InlineData(Lane.Critical, StreamKind.Live, "live:1")]
    [InlineData(Lane.Live, StreamKind.Live, "live:1")]
    [InlineData(Lane.Backlog, StreamKind.Backlog, "backlog:1")]
    public void Frame_goes_to_its_lanes_stream_as_it_came_and_its_receipt_says_where(
        Lane lane, StreamKind stream, string receipt)
    {
        var payload = Frame(lane);

        var verdict = Publish(MqttTopics.Frames(Gateway, lane), payload);

        Assert.Equal(new IngressVerdict(0x00, receipt, null), verdict);
        var stored = Assert.Single(_log.Stored);
        Assert.Equal((Gateway.Partition(4), stream), (stored.Partition, stored.Stream));
        Assert.Equal(payload, stored.Data);
        Assert.Equal($"gateway-1/0000000000000009/{lane.Name()}/1+3/00000007-1", stored.MessageId);
        Assert.Equal(1, _counters[IngressEvent.FrameAppended]);
    }

    [Fact]
    public void Schema_goes_to_the_log_of_the_lane_that_it_came_in()
    {
        var verdict = Publish(MqttTopics.Frames(Gateway, Lane.Backlog), Schema(Lane.Backlog));

        Assert.Equal("backlog:1", verdict.ReceiptProperty);
        Assert.EndsWith("/backlog/00000007-1", Assert.Single(_log.Stored).MessageId, StringComparison.Ordinal);
        Assert.Equal(1, _counters[IngressEvent.SchemaAppended]);
    }

    [Fact]
    public void More_schemas_a_second_than_a_gateway_may_bring_wait_and_hold_up_nobody_else()
    {
        var core = new IngressCore(
            _log, _control, new IngressOptions { Partitions = 4, SchemasPerSecond = 10 }, _pump.Clock, _counters);
        var other = GatewayId.Parse("gateway-2");
        var began = _pump.Clock.GetTimestamp();
        var after = new List<double>();
        async Task PublishedAsync(GatewayId gateway, byte[] payload, List<double>? seconds)
        {
            await core.PublishedAsync(gateway, MqttTopics.Frames(gateway, Lane.Live), payload, default);
            seconds?.Add(_pump.Clock.GetElapsedTime(began).TotalSeconds);
        }

        var others = new List<double>();
        _pump.Run(() => Task.WhenAll(
            [
                .. Enumerable.Range(0, 40).Select(_ => PublishedAsync(Gateway, Schema(Lane.Live), after)),
                PublishedAsync(Gateway, Frame(), others),
                PublishedAsync(other, Schema(Lane.Live), others),
            ]));

        Assert.All(others, seconds => Assert.InRange(seconds, 0, 0.05));
        Assert.Equal(21, after.Count(seconds => seconds < 0.05));
        Assert.InRange(after.Max(), 1.85, 2.05);
        Assert.Equal(19, _counters[IngressEvent.SchemaDelayed]);
    }

    [Fact]
    public void Gateways_that_brought_schemas_long_ago_are_forgotten()
    {
        var pace = new SchemaPace(new IngressOptions(), _pump.Clock);
        for (var i = 0; i < 5000; i++)
        {
            Assert.Equal(TimeSpan.Zero, pace.Take(GatewayId.Parse($"gw-{i}")));
            _pump.Run(() => Task.Delay(TimeSpan.FromMilliseconds(10), _pump.Clock));
        }

        Assert.InRange(pace.Count, 1, 1024);
    }

    [Fact]
    public void Any_changed_byte_of_a_frame_is_refused_or_leaves_its_content_whole()
    {
        var good = Frame();
        const int deliveryBytes = 7 + 4 + 1;
        for (var at = 0; at < good.Length; at++)
        {
            var bad = good.ToArray();
            bad[at] ^= 0x10;

            var verdict = Publish(MqttTopics.Frames(Gateway, Lane.Live), bad);

            // The delivery stands before the frame and no checksum covers it: a changed one is another attempt.
            Assert.True(verdict.ReasonCode == 0x99 || at < deliveryBytes, $"byte {at}: 0x{verdict.ReasonCode:x2}");
        }

        Assert.All(_log.Stored, stored => Assert.Equal(good[deliveryBytes..], stored.Data[deliveryBytes..]));
        Assert.Equal(good.Length - deliveryBytes, _counters[IngressEvent.FrameMalformed]);
    }

    [Fact]
    public void Frame_cut_anywhere_is_refused()
    {
        var good = Frame();
        for (var length = 0; length < good.Length; length++)
        {
            Assert.Equal(0x99, Publish(MqttTopics.Frames(Gateway, Lane.Live), good[..length]).ReasonCode);
        }

        Assert.Empty(_log.Stored);
    }

    [Fact]
    public void Frame_on_another_lanes_topic_is_refused()
    {
        var verdict = Publish(MqttTopics.Frames(Gateway, Lane.Critical), Frame(Lane.Live));

        Assert.Equal(0x99, verdict.ReasonCode);
        Assert.Contains("lane live on the topic of critical", verdict.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tm/1/gateway-2/live", 0x87)]
    [InlineData("tm/1/gateway-11/live", 0x87)]
    [InlineData("tm/2/gateway-1/live", 0x87)]
    [InlineData("tm/1/gateway-1", 0x87)]
    [InlineData("$SYS/x", 0x87)]
    [InlineData("tm/1/gateway-1/down", 0x90)]
    [InlineData("tm/1/gateway-1/live/x", 0x90)]
    [InlineData("tm/1/gateway-1/Live", 0x90)]
    [InlineData("tm/1/gateway-1/", 0x90)]
    public void Topic_that_is_not_the_gateways_own_way_up_is_refused(string topic, byte reasonCode)
    {
        Assert.Equal(reasonCode, Publish(topic, Frame()).ReasonCode);
        Assert.Empty(_log.Tried);
        Assert.Equal(1, _counters[IngressEvent.TopicForeign] + _counters[IngressEvent.TopicUnknown]);
    }

    [Fact]
    public void Lost_acknowledgement_makes_no_second_message_and_the_receipt_is_the_firsts()
    {
        _log.Fault = attempt => (attempt == 1 ? new FrameLogException("answer lost") : null, true);

        var verdict = Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame());

        Assert.Equal("live:1", verdict.ReceiptProperty);
        Assert.Single(_log.Stored);
        Assert.Single(_log.Tried.Distinct());
        Assert.Equal((1, 1), (_counters[IngressEvent.AppendRetried], _counters[IngressEvent.AppendDuplicate]));
    }

    [Fact]
    public void Verdict_waits_while_the_log_is_out_of_reach_and_then_says_so()
    {
        _log.Fault = _ => (new FrameLogException("no route"), false);

        var verdict = Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame());

        Assert.Equal(
            (0x83, true), (verdict.ReasonCode, verdict.Reason!.Contains("no route", StringComparison.Ordinal)));
        Assert.InRange(_pump.Clock.Elapsed, TimeSpan.FromSeconds(17), TimeSpan.FromSeconds(20.1));
        Assert.Equal(1, _counters[IngressEvent.LogOutOfReach]);
        Assert.InRange(_log.Tried.Count, 8, 30);
    }

    [Fact]
    public void Log_that_comes_back_within_the_patience_costs_nothing_but_time()
    {
        _log.Fault = _ => (
            _pump.Clock.Elapsed < TimeSpan.FromSeconds(15) ? new FrameLogException("no route") : null, false);

        Assert.Equal("live:1", Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame()).ReceiptProperty);
    }

    [Fact]
    public void Streams_that_are_gone_are_waited_for_and_never_made_by_an_ingress()
    {
        _log.Fault = attempt => (attempt <= 3 ? new FrameLogException("no such stream") : null, false);

        _pump.Run(() => Task.WhenAll(Enumerable.Range(1, 3).Select(i =>
            _core.PublishedAsync(Gateway, MqttTopics.Frames(Gateway, Lane.Live), Frame(first: i), default).AsTask())));

        Assert.Equal((0, 3), (_log.Ensured, _log.Stored.Count));
    }

    [Fact]
    public void While_the_partitions_are_changed_frames_and_hellos_are_refused_at_once_with_the_reason()
    {
        _core.Closed = "the partitions are being changed";

        var frame = Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame());
        var hello = Publish(MqttTopics.Hello(Gateway), Hello());

        Assert.Equal((0x83, "the partitions are being changed"), (frame.ReasonCode, frame.Reason));
        Assert.Equal((0x83, "the partitions are being changed"), (hello.ReasonCode, hello.Reason));
        Assert.Empty(_log.Tried);
        Assert.Empty(_control.Hellos);
        _core.Closed = null;
        Assert.True(Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame()).IsSuccess);
    }

    [Fact]
    public void Full_stream_is_told_at_once()
    {
        _log.Fault = _ => (new FrameLogException("maximum bytes exceeded", isFull: true), false);

        Assert.Equal(0x97, Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame()).ReasonCode);
        Assert.Single(_log.Tried);
        Assert.Equal(1, _counters[IngressEvent.LogFull]);
    }

    [Fact]
    public void Publishes_are_pipelined_up_to_the_limit_and_the_others_wait_in_turn()
    {
        var verdicts = _pump.Run(() => Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            _core.PublishedAsync(Gateway, MqttTopics.Frames(Gateway, Lane.Live), Frame(first: 1 + (3 * i)), default)
                .AsTask())));

        Assert.Equal(3, _log.UnderWayMost);
        Assert.Equal(
            Enumerable.Range(1, 10).Select(i => $"live:{i}"), verdicts.Select(verdict => verdict.ReceiptProperty));
    }

    [Fact]
    public void Publish_that_gets_no_place_is_refused_when_its_patience_ends_and_takes_no_place_with_it()
    {
        _log.Takes = TimeSpan.FromSeconds(30);

        var verdicts = _pump.Run(() => Task.WhenAll(Enumerable.Range(0, 4).Select(i =>
            _core.PublishedAsync(Gateway, MqttTopics.Frames(Gateway, Lane.Live), Frame(first: 1 + (3 * i)), default)
                .AsTask())));
        _log.Takes = TimeSpan.Zero;

        Assert.Equal([0x00, 0x00, 0x00, 0x83], verdicts.Select(verdict => (int)verdict.ReasonCode));
        Assert.Equal(0, Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame(first: 100)).ReasonCode);
    }

    [Fact]
    public void Cancelled_publish_gives_its_place_back()
    {
        _log.Takes = TimeSpan.FromHours(1);
        _pump.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1), _pump.Clock);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _core.PublishedAsync(
                    Gateway, MqttTopics.Frames(Gateway, Lane.Live), Frame(first: 1 + (3 * i)), stop.Token).AsTask());
            }
        });
        _log.Takes = TimeSpan.Zero;

        Assert.Equal(0, Publish(MqttTopics.Frames(Gateway, Lane.Live), Frame(first: 100)).ReasonCode);
    }

    [Fact]
    public void Hello_reaches_the_partitions_owner_as_it_came()
    {
        var verdict = Publish(MqttTopics.Hello(Gateway), Hello());

        Assert.Equal(new IngressVerdict(0x00, null, null), verdict);
        var (partition, gateway, hello) = Assert.Single(_control.Hellos);
        Assert.Equal((Gateway.Partition(4), Gateway), (partition, gateway));
        Assert.Equal(Hello(), hello);
    }

    [Fact]
    public void Hello_without_an_owner_or_a_control_channel_is_refused_for_now()
    {
        _control.HasOwner = false;
        var withoutOwner = Publish(MqttTopics.Hello(Gateway), Hello());
        _control.Broken = new FrameLogException("no route");
        var withoutControl = Publish(MqttTopics.Hello(Gateway), Hello());

        Assert.Equal((0x83, 0x83), (withoutOwner.ReasonCode, withoutControl.ReasonCode));
        Assert.Equal("no route", withoutControl.Reason);
        Assert.Equal(2, _counters[IngressEvent.HelloWithoutOwner]);
    }

    [Fact]
    public void Malformed_hello_is_refused_for_good()
    {
        Assert.Equal(0x99, Publish(MqttTopics.Hello(Gateway), Hello()[..^1]).ReasonCode);
        Assert.Equal(0x99, Publish(MqttTopics.Hello(Gateway), new byte[300 * 1024]).ReasonCode);
        Assert.Empty(_control.Hellos);
        Assert.Equal(2, _counters[IngressEvent.HelloMalformed]);
    }

    private IngressVerdict Publish(string topic, byte[] payload) =>
        _pump.Run(() => _core.PublishedAsync(Gateway, topic, payload, default).AsTask());
}
