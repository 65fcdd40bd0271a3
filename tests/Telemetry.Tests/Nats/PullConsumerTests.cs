using System.Text;
using Telemetry.Nats;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Nats;

/// <summary>The pull consumer against answers that a real server gives rarely.</summary>
public sealed class PullConsumerTests : IAsyncLifetime
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeNatsServer _server = new();
    private NatsConnection _connection = null!;
    private FakeNatsPeer _peer = null!;
    private JetStreamContext _jetStream = null!;
    private long _subscription;
    private string _pullInbox = "";
    private int _delivery;

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
        _jetStream = new(_connection);
    }

    public Task DisposeAsync() => _connection.DisposeAsync(_clock);

    private async Task<PullConsumer> Begin(ulong start = 1)
    {
        var beginning = PullConsumer.BeginAsync(_jetStream, "S", start).AsTask();
        _subscription = long.Parse((await _peer.ReadUntil("SUB")).Fields[1]);
        var create = await _peer.ReadUntil("PUB");
        Assert.Equal("$JS.API.CONSUMER.CREATE.S", create.Subject);
        Assert.Contains($"\"opt_start_seq\":{start},", create.Payload, StringComparison.Ordinal);
        Assert.Contains("\"ack_policy\":\"none\"", create.Payload, StringComparison.Ordinal);
        await _peer.Deliver(1, create.ReplyTo, """{"stream_name":"S","name":"C","config":{},"num_pending":0}""");
        var consumer = await beginning;
        var pull = await _peer.ReadUntil("PUB");
        Assert.Equal("$JS.API.CONSUMER.MSG.NEXT.S.C", pull.Subject);
        _pullInbox = pull.ReplyTo;
        return consumer;
    }

    private Task Deliver(int sequence) => _peer.Deliver(
        _subscription, "S.a", $"{sequence}", $"$JS.ACK.S.C.1.{sequence}.{++_delivery}.1795264700858862471.0");

    private Task Status(string status, params string[] headers) =>
        _peer.DeliverStatus(_subscription, _pullInbox, status, headers);

    [Fact]
    public async Task What_came_before_the_end_can_still_be_read()
    {
        var consumer = await Begin();
        await Deliver(1);
        await Deliver(2);
        await Status("409 Consumer Deleted");
        while (consumer.End is null)
        {
            await Task.Yield();
        }

        var batch = new JetStreamMessage[10];
        Assert.Equal(2, await consumer.ReadAsync(batch));
        Assert.Equal("2", Encoding.UTF8.GetString(batch[1].Data.Span));
        Assert.Equal(0, await consumer.ReadAsync(batch));
        Assert.Equal(PullConsumerEndReason.Deleted, consumer.End.Reason);
    }

    [Fact]
    public async Task A_gap_ends_it_and_the_server_is_told_to_forget_it()
    {
        var consumer = await Begin();
        await Deliver(1);
        await Deliver(3);
        Assert.Equal("UNSUB", (await _peer.Read()).Name);
        Assert.Equal("$JS.API.CONSUMER.DELETE.S.C", (await _peer.Read()).Subject);
        Assert.True(consumer.TryRead(out var message));
        Assert.Equal(1ul, message.Sequence);
        Assert.False(await consumer.WaitToReadAsync());
        Assert.Equal((2ul, 3ul), (consumer.End!.ExpectedSequence, consumer.End.GotSequence));
    }

    [Fact]
    public async Task Missed_heartbeats_end_it_by_the_injected_clock()
    {
        var consumer = await Begin();
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(consumer.End);
        _clock.Advance(TimeSpan.FromSeconds(1.2));
        Assert.False(await consumer.WaitToReadAsync());
        Assert.Equal(PullConsumerEndReason.HeartbeatsMissed, consumer.End!.Reason);
    }

    [Fact]
    public async Task A_broken_link_ends_it_and_it_is_not_made_again_by_itself()
    {
        var consumer = await Begin();
        await _peer.Cut();
        Assert.False(await consumer.WaitToReadAsync());
        Assert.Equal(PullConsumerEndReason.ConnectionLost, consumer.End!.Reason);

        var next = await _server.AcceptNext(_clock);
        await _connection.WaitUntilConnectedAsync();
        await _connection.PublishAsync("x", default);
        Assert.Equal("SUB", (await next.Read()).Name);
        Assert.Equal("x", (await next.Read()).Subject);
    }

    [Fact]
    public async Task A_link_that_breaks_while_it_begins_fails_the_beginning()
    {
        var beginning = PullConsumer.BeginAsync(_jetStream, "S", 1).AsTask();
        await _peer.ReadUntil("PUB");
        await _peer.Cut();
        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => beginning);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task An_error_of_the_server_fails_the_beginning_and_leaves_no_subscription()
    {
        var beginning = PullConsumer.BeginAsync(_jetStream, "S", 1).AsTask();
        var create = await _peer.ReadUntil("PUB");
        await _peer.Deliver(
            1, create.ReplyTo, """{"error":{"code":404,"err_code":10059,"description":"stream not found"}}""");
        var error = await Assert.ThrowsAsync<JetStreamException>(() => beginning);
        Assert.Equal(JetStreamErrorCodes.StreamNotFound, error.ErrorCode);
        Assert.Equal("UNSUB", (await _peer.Read()).Name);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_begun_again()
    {
        var consumer = await Begin();
        using var cancel = new CancellationTokenSource();
        var waiting = consumer.WaitToReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var again = consumer.WaitToReadAsync().AsTask();
        await Deliver(1);
        Assert.True(await again);
    }

    [Fact]
    public async Task Garbage_on_its_inbox_breaks_the_link_instead_of_being_taken()
    {
        var consumer = await Begin();
        await _peer.Deliver(_subscription, "S.a", "forged");
        Assert.False(await consumer.WaitToReadAsync());
        Assert.Equal(PullConsumerEndReason.ConnectionLost, consumer.End!.Reason);
    }
}
