using Telemetry.Streams.JetStream;

namespace Telemetry.Tests.Streams.JetStream;

public sealed class PullSessionTests
{
    private static readonly PullConsumerOptions Options = new()
    {
        MessagesMax = 10,
        BytesMax = 10_000,
        IdleHeartbeat = TimeSpan.FromSeconds(2),
        HeartbeatsMissedMax = 2,
    };

    private readonly PullSession _session = new(100, Options);
    private TimeSpan _now;
    private ulong _delivery;

    private PullRequest Pull()
    {
        Assert.True(_session.TryPull(_now, out var request));
        return request;
    }

    private bool Deliver(ulong sequence, int bytes = 100) =>
        _session.Deliver(new(sequence, ++_delivery, 0, 0), bytes, _now);

    private void Status(long number, int status, string text = "", ulong lastConsumer = 0, ulong lastStream = 0) =>
        _session.Receive(new(number, status, text, lastConsumer, lastStream), _now);

    [Fact]
    public void The_first_pull_asks_for_all_the_credit_and_only_one_stands_at_a_time()
    {
        Assert.Equal(new(1, 10, 10_000), Pull());
        Assert.False(_session.TryPull(_now, out _));
    }

    [Fact]
    public void A_pull_whose_bytes_are_used_up_exactly_is_over_without_a_word()
    {
        Assert.Equal(10_000, Pull().BytesMax);
        Assert.True(Deliver(100, bytes: 4000));
        Assert.True(Deliver(101, bytes: 6000));

        _session.Take(2, 10_000);
        Assert.Equal(new(2, 10, 10_000), Pull());
    }

    [Fact]
    public void What_waits_and_what_is_asked_for_never_exceed_the_credit()
    {
        var random = new Random(5);
        ulong next = 100;
        var waiting = 0;
        for (var round = 0; round < 2000; round++)
        {
            if (_session.TryPull(_now, out var pull))
            {
                Assert.InRange(waiting + pull.Messages, 1, Options.MessagesMax);
                Assert.InRange((waiting * 100) + pull.BytesMax!.Value, 1, Options.BytesMax);
                for (var i = random.Next(pull.Messages + 1); i > 0; i--)
                {
                    Assert.True(Deliver(next++));
                    waiting++;
                }

                Status(pull.Number, 408, "Request Timeout");
            }

            var taken = random.Next(waiting + 1);
            _session.Take(taken, taken * 100);
            waiting -= taken;
        }

        Assert.Null(_session.End);
        Assert.True(next > 1000);
    }

    [Fact]
    public void A_full_reader_is_not_pulled_for_until_half_is_taken()
    {
        Pull();
        for (var i = 100ul; i < 110; i++)
        {
            Assert.True(Deliver(i));
        }

        Assert.False(_session.TryPull(_now, out _));
        _session.Take(4, 400);
        Assert.False(_session.TryPull(_now, out _));
        _session.Take(1, 100);
        Assert.Equal(new(2, 5, 9_500), Pull());
    }

    [Fact]
    public void A_first_message_beyond_the_start_is_taken()
    {
        Pull();
        Assert.True(Deliver(150));
        Assert.Equal(151ul, _session.NextSequence);
    }

    [Theory]
    [InlineData(99ul)]
    [InlineData(1ul)]
    public void A_first_message_below_the_start_is_a_jump(ulong sequence)
    {
        Pull();
        Assert.False(Deliver(sequence));
        Assert.Equal(
            (PullConsumerEndReason.Jump, 100ul, sequence),
            (_session.End!.Reason, _session.End.ExpectedSequence, _session.End.GotSequence));
    }

    [Theory]
    [InlineData(102ul)]
    [InlineData(100ul)]
    [InlineData(1ul)]
    public void Anything_but_the_next_sequence_is_a_jump_and_nothing_follows(ulong sequence)
    {
        Pull();
        Deliver(100);
        Assert.False(Deliver(sequence));
        Assert.Equal(
            (PullConsumerEndReason.Jump, 101ul, sequence),
            (_session.End!.Reason, _session.End.ExpectedSequence, _session.End.GotSequence));
        Assert.False(Deliver(101));
        Assert.False(_session.TryPull(_now, out _));
    }

    [Fact]
    public void A_first_delivery_that_is_lost_is_a_jump_though_the_stream_may_begin_later()
    {
        Pull();
        _delivery++;
        Assert.False(Deliver(101));
        Assert.Equal(PullConsumerEndReason.Jump, _session.End!.Reason);
    }

    [Fact]
    public void A_delivery_lost_on_the_way_is_a_jump_even_if_it_is_the_last()
    {
        var pull = Pull();
        Deliver(100);
        Status(pull.Number, 100, "Idle Heartbeat", lastConsumer: 1, lastStream: 100);
        Assert.Null(_session.End);
        Status(pull.Number, 100, "Idle Heartbeat", lastConsumer: 2, lastStream: 101);
        Assert.Equal(PullConsumerEndReason.Jump, _session.End!.Reason);
    }

    [Theory]
    [InlineData(404, "No Messages")]
    [InlineData(408, "Request Timeout")]
    [InlineData(409, "Message Size Exceeds MaxBytes")]
    [InlineData(409, "Leadership Change")]
    public void A_pull_that_ended_is_followed_by_another(int status, string text)
    {
        var pull = Pull();
        Deliver(100);
        Status(pull.Number, status, text);
        Assert.Equal(pull.Number + 1, Pull().Number);
    }

    [Fact]
    public void The_end_of_an_earlier_pull_does_not_end_the_one_that_stands()
    {
        var first = Pull();
        Status(first.Number, 408);
        Pull();
        Status(first.Number, 408);
        Assert.False(_session.TryPull(_now, out _));
    }

    [Fact]
    public void A_message_larger_than_the_byte_credit_is_asked_for_alone_once_nothing_waits()
    {
        var pull = Pull();
        Deliver(100);
        Status(pull.Number, 409, "Message Size Exceeds MaxBytes");
        pull = Pull();
        Status(pull.Number, 409, "Message Size Exceeds MaxBytes");
        Assert.False(_session.TryPull(_now, out _));
        _session.Take(1, 100);

        Assert.Equal(new(3, 1, null), Pull());
        Assert.True(Deliver(101, 50_000));
        Assert.False(_session.TryPull(_now, out _));
        _session.Take(1, 50_000);
        Assert.Equal(new(4, 10, 10_000), Pull());
    }

    [Theory]
    [InlineData(409, "Consumer Deleted", PullConsumerEndReason.Deleted)]
    [InlineData(503, "", PullConsumerEndReason.Deleted)]
    [InlineData(409, "Exceeded MaxWaiting", PullConsumerEndReason.Refused)]
    [InlineData(400, "Bad Request", PullConsumerEndReason.Refused)]
    public void A_refusal_ends_the_consumer(int status, string text, PullConsumerEndReason reason)
    {
        Status(Pull().Number, status, text);
        Assert.Equal(reason, _session.End!.Reason);
    }

    [Fact]
    public void Silence_ends_it_while_a_pull_stands_and_a_heartbeat_does_not_let_it()
    {
        var pull = Pull();
        for (var i = 0; i < 5; i++)
        {
            _now += TimeSpan.FromSeconds(4);
            _session.Tick(_now);
            Assert.Null(_session.End);
            Status(pull.Number, 100, "Idle Heartbeat");
        }

        _now += TimeSpan.FromSeconds(6);
        _session.Tick(_now);
        Assert.Equal(PullConsumerEndReason.HeartbeatsMissed, _session.End!.Reason);
    }

    [Fact]
    public void Silence_does_not_end_it_while_the_reader_is_slow()
    {
        Pull();
        for (var i = 100ul; i < 110; i++)
        {
            Deliver(i);
        }

        _now += TimeSpan.FromHours(1);
        _session.Tick(_now);
        Assert.Null(_session.End);
    }
}
