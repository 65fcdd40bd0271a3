using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class NatsWriteBufferTests
{
    private const int Limit = 4096;
    private readonly NatsWriteBuffer _buffer = new(Limit, allowSynchronousContinuations: true);

    public NatsWriteBufferTests() => _buffer.Open(static _ => { });

    private static NatsPublish Publish(string name, int bytes) =>
        new() { Subject = name, Payload = Encoding.ASCII.GetBytes(new string('x', bytes)) };

    private static NatsWaitingPublish Waiting(string name, int bytes) => new(true) { Publish = Publish(name, bytes) };

    private string[] Taken() =>
        [.. Encoding.ASCII.GetString(_buffer.Take().Span).Split("PUB ").Skip(1).Select(part => part.Split(' ')[0])];

    [Fact]
    public void At_the_limit_publishes_wait_and_leave_in_the_order_they_came()
    {
        Assert.True(_buffer.TryAppend(Publish("a", 3000)));
        Assert.False(_buffer.TryAppend(Publish("b", 3000)));
        var b = Waiting("b", 3000);
        var c = Waiting("c", 1);
        Assert.Null(_buffer.Append(b));
        Assert.Null(_buffer.Append(c));
        Assert.False(_buffer.TryAppend(Publish("d", 1)));
        var d = Waiting("d", 3000);
        Assert.Null(_buffer.Append(d));
        Assert.False(b.Task.IsCompleted);

        Assert.Equal(["a"], Taken());
        Assert.True(b.Task.IsCompletedSuccessfully);
        Assert.True(c.Task.IsCompletedSuccessfully);
        Assert.False(d.Task.IsCompleted);
        Assert.Equal(["b", "c"], Taken());
        Assert.Equal(["d"], Taken());
        Assert.Empty(Taken());
    }

    [Fact]
    public void A_message_larger_than_the_buffer_goes_alone()
    {
        Assert.True(_buffer.TryAppend(Publish("small", 1)));
        var large = Waiting("large", 3 * Limit);
        _buffer.Append(large);
        Assert.Equal(["small"], Taken());
        Assert.True(large.Task.IsCompleted);
        Assert.False(_buffer.TryAppend(Publish("next", 1)));
        Assert.Equal(["large"], Taken());
    }

    [Fact]
    public async Task A_break_fails_who_waits_counts_what_was_taken_and_sends_none_of_it_on_the_next_link()
    {
        _buffer.TryAppend(Publish("sending", 3000));
        Taken();
        _buffer.TryAppend(Publish("filling", 3000));
        var waiting = Waiting("waiting", 3000);
        _buffer.Append(waiting);
        var sending = _buffer.WaitAsync();

        _buffer.Close(new NatsConnectionException("cut"));

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => waiting.Task);
        Assert.True(error.IsTransient);
        Assert.Equal(2, _buffer.DiscardedPublishes);
        Assert.True(await sending);
        Assert.False(await _buffer.WaitAsync());
        Assert.Throws<NatsConnectionException>(() => _buffer.TryAppend(Publish("x", 1)));
        Assert.NotNull(_buffer.Append(Waiting("x", 1)));

        _buffer.Open(static output => NatsFrameWriter.WritePing(output));
        Assert.Equal("PING\r\n", Encoding.ASCII.GetString(_buffer.Take().Span));
    }

    [Fact]
    public void After_a_link_that_ended_for_malformed_bytes_a_publish_fails_as_transient_and_after_closing_for_good()
    {
        _buffer.Close(new NatsProtocolException("garbage"));
        Assert.True(Assert.Throws<NatsConnectionException>(() => _buffer.TryAppend(Publish("x", 1))).IsTransient);
        _buffer.Close(new NatsConnectionException("closed", isTransient: false));
        Assert.False(Assert.Throws<NatsConnectionException>(() => _buffer.TryAppend(Publish("x", 1))).IsTransient);
    }

    [Fact]
    public void Who_withdraws_is_not_sent_and_the_others_keep_their_order()
    {
        _buffer.TryAppend(Publish("a", 4080));
        NatsWaitingPublish[] waiting = [Waiting("b", 1), Waiting("c", 1), Waiting("d", 1)];
        foreach (var one in waiting)
        {
            _buffer.Append(one);
        }

        Assert.True(_buffer.Withdraw(waiting[1]));
        Assert.False(_buffer.Withdraw(waiting[1]));
        Taken();
        Assert.Equal(["b", "d"], Taken());
        Assert.False(_buffer.Withdraw(waiting[0]));
    }

    [Fact]
    public void Control_lines_pass_a_full_buffer_and_are_dropped_without_a_link()
    {
        _buffer.TryAppend(Publish("a", 4000));
        _buffer.AppendControl(0, static (_, output) => NatsFrameWriter.WritePong(output));
        Assert.EndsWith("PONG\r\n", Encoding.ASCII.GetString(_buffer.Take().Span), StringComparison.Ordinal);

        _buffer.Close(new NatsConnectionException("cut"));
        _buffer.AppendControl(0, static (_, output) => NatsFrameWriter.WritePong(output));
        _buffer.Open(static _ => { });
        Assert.True(_buffer.Take().IsEmpty);
    }

    [Fact]
    public void Delays_grow_to_their_longest_and_stay_within_the_upper_half()
    {
        var backoff = new NatsBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), new Random(3));
        foreach (var span in new[] { 1, 2, 4, 5, 5, 5 })
        {
            Assert.InRange(backoff.Next().TotalSeconds, span / 2.0, span);
        }

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0.5, 1);
    }
}
