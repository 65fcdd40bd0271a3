using System.Text;
using Telemetry.Nats;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Nats;

public sealed class JetStreamPublishTests : IAsyncLifetime
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeNatsServer _server = new();
    private NatsConnection _connection = null!;
    private FakeNatsPeer _peer = null!;
    private JetStreamContext _jetStream = null!;

    public async Task InitializeAsync()
    {
        var connecting = NatsConnection.ConnectAsync(new()
        {
            TimeProvider = _clock,
            OpenStream = _server.OpenStream,
            DisposeTimeout = TimeSpan.FromMilliseconds(1),
        });
        _peer = await _server.AcceptReady();
        _connection = await connecting;
        await _peer.ReadUntil("SUB");
        _jetStream = new(_connection, new() { PublishesInFlightMax = 2, PublishTimeout = TimeSpan.FromSeconds(5) });
    }

    public Task DisposeAsync() => _connection.DisposeAsync(_clock);

    private Task<PublishAck> Publish(string payload, CancellationToken ct = default) =>
        _jetStream.PublishAsync("S.a", Encoding.UTF8.GetBytes(payload), $"id-{payload}", ct: ct).AsTask();

    private Task Acknowledge(FakeOperation publish, int sequence) =>
        _peer.Deliver(1, publish.ReplyTo, $$"""{"stream":"S","seq":{{sequence}}}""");

    [Fact]
    public async Task At_the_window_publishes_wait_and_each_acknowledgement_lets_the_next_one_go()
    {
        var publishes = Enumerable.Range(1, 4).Select(i => Publish($"{i}")).ToArray();
        var first = await _peer.Read();
        var second = await _peer.Read();
        Assert.Equal(("1", "2"), (first.Payload, second.Payload));
        Assert.Contains("Nats-Msg-Id: id-1\r\n", first.Headers, StringComparison.Ordinal);
        Assert.Equal(2, _jetStream.PublishesInFlight);

        // Acknowledgements may come in any order.
        await Acknowledge(second, 2);
        Assert.Equal(2ul, (await publishes[1]).Sequence);
        var third = await _peer.Read();
        Assert.Equal("3", third.Payload);
        await Acknowledge(first, 1);
        await Acknowledge(third, 3);
        await Acknowledge(await _peer.Read(), 4);
        Assert.Equal([1ul, 2ul, 3ul, 4ul], (await Task.WhenAll(publishes)).Select(ack => ack.Sequence));
        Assert.Equal(0, _jetStream.PublishesInFlight);
    }

    [Fact]
    public async Task An_acknowledgement_that_does_not_come_is_a_timeout_and_frees_its_place()
    {
        var publishes = Enumerable.Range(1, 3).Select(i => Publish($"{i}")).ToArray();
        await _peer.Read();
        await _peer.Read();
        _clock.Advance(TimeSpan.FromSeconds(5.1));

        await Assert.ThrowsAsync<NatsTimeoutException>(() => publishes[0]);
        await Assert.ThrowsAsync<NatsTimeoutException>(() => publishes[1]);
        await Acknowledge(await _peer.Read(), 7);
        Assert.Equal(7ul, (await publishes[2]).Sequence);
    }

    [Fact]
    public async Task A_break_fails_all_under_way_and_all_in_line_and_sends_none_again()
    {
        var publishes = Enumerable.Range(1, 100).Select(i => Publish($"{i}")).ToArray();
        await _peer.Read();
        await _peer.Cut();

        foreach (var publish in publishes)
        {
            var error = await Assert.ThrowsAsync<NatsConnectionException>(() => publish);
            Assert.True(error.IsTransient);
        }

        Assert.Equal(0, _jetStream.PublishesInFlight);
        var next = await _server.AcceptNext(_clock);
        await _connection.WaitUntilConnectedAsync();
        _ = Publish("new");
        Assert.Equal("new", (await next.ReadUntil("HPUB")).Payload);
    }

    [Fact]
    public async Task Errors_and_missing_responders_fail_only_their_own_publish()
    {
        var first = Publish("1");
        var second = Publish("2");
        var sent = await _peer.Read();
        await _peer.Deliver(
            1, sent.ReplyTo, """{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}""");
        var error = await Assert.ThrowsAsync<JetStreamException>(() => first);
        Assert.Equal(JetStreamErrorCodes.StoreFailed, error.ErrorCode);

        await _peer.DeliverStatus(1, (await _peer.Read()).ReplyTo, "503");
        await Assert.ThrowsAsync<NatsNoRespondersException>(() => second);

        var third = Publish("3");
        await _peer.Deliver(1, (await _peer.Read()).ReplyTo, "nonsense");
        await Assert.ThrowsAsync<NatsProtocolException>(() => third);
        var fourth = Publish("4");
        await Acknowledge(await _peer.Read(), 4);
        Assert.Equal(4ul, (await fourth).Sequence);
        Assert.Equal(1, _connection.ConnectionGeneration);
    }

    [Fact]
    public async Task A_publish_cancelled_in_line_is_never_sent()
    {
        using var cancel = new CancellationTokenSource();
        var first = Publish("1");
        var second = Publish("2");
        var third = Publish("3", cancel.Token);
        var fourth = Publish("4");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);

        await Acknowledge(await _peer.Read(), 1);
        await Acknowledge(await _peer.Read(), 2);
        var sent = await _peer.Read();
        Assert.Equal("4", sent.Payload);
        await Acknowledge(sent, 3);
        await Task.WhenAll(first, second, fourth);
        Assert.Equal(0, _jetStream.PublishesInFlight);
    }

    [Fact]
    public async Task A_publish_cancelled_under_way_frees_its_place()
    {
        using var cancel = new CancellationTokenSource();
        var first = Publish("1", cancel.Token);
        _ = Publish("2");
        var third = Publish("3");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        await _peer.Read();
        await _peer.Read();
        await Acknowledge(await _peer.Read(), 3);
        Assert.Equal(3ul, (await third).Sequence);
    }
}
