using System.Text;
using Telemetry.Nats;
using Telemetry.Testing.Time;

namespace Telemetry.Tests.Nats;

/// <summary>The shell against a server that answers oddly, late or not at all.</summary>
public sealed class NatsConnectionTests : IAsyncLifetime
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeNatsServer _server = new();
    private readonly List<NatsConnection> _connections = [];

    private NatsOptions Options => new()
    {
        TimeProvider = _clock,
        Random = new Random(1),
        OpenStream = _server.OpenStream,
        ReconnectDelayMin = TimeSpan.FromMilliseconds(1),
        ReconnectDelayMax = TimeSpan.FromSeconds(1),
        DisposeTimeout = TimeSpan.FromMilliseconds(1),
    };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync(_clock);
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<(NatsConnection Connection, FakeNatsPeer Peer)> Connect(NatsOptions? options = null)
    {
        var connecting = NatsConnection.ConnectAsync(options ?? Options).AsTask();
        var peer = await _server.AcceptReady();
        var connection = await connecting.WaitAsync(TimeSpan.FromSeconds(20));
        _connections.Add(connection);
        Assert.Equal("SUB", (await peer.Read()).Name);
        return (connection, peer);
    }

    private Task<FakeNatsPeer> Reconnect() => _server.AcceptNext(_clock);

    [Fact]
    public async Task The_connect_timeout_ends_a_server_that_accepts_and_stays_silent()
    {
        var connecting = NatsConnection.ConnectAsync(Options).AsTask();
        await _server.Accept();
        _clock.Advance(Options.ConnectTimeout);

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => connecting);
        Assert.True(error.IsTransient);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", typeof(NatsProtocolException))]
    [InlineData("INFO {\r\n", typeof(NatsProtocolException))]
    [InlineData(
        "INFO {\"headers\":true,\"max_payload\":9}\r\n-ERR 'Authorization Violation'\r\n",
        typeof(NatsAuthenticationException))]
    [InlineData("PONG\r\n", typeof(NatsProtocolException))]
    public async Task A_wrong_greeting_fails_the_connect(string greeting, Type expected)
    {
        var connecting = NatsConnection.ConnectAsync(Options).AsTask();
        var peer = await _server.Accept();
        await peer.Send(greeting);
        Assert.IsType(expected, await Record.ExceptionAsync(() => connecting));
    }

    [Fact]
    public async Task A_handshake_and_first_messages_in_one_packet_are_all_read()
    {
        var connecting = NatsConnection.ConnectAsync(Options).AsTask();
        var peer = await _server.Accept();
        await peer.Send($"INFO {FakeNatsPeer.DefaultInfo}\r\nPONG\r\nPING\r\nPING\r\n");
        _connections.Add(await connecting);
        await peer.ReadUntil("PONG");
        await peer.ReadUntil("PONG");
    }

    [Fact]
    public async Task A_request_runs_out_of_time_by_the_injected_clock_and_a_late_answer_harms_nothing()
    {
        var (connection, peer) = await Connect();
        var request = connection.RequestAsync("a", Bytes("?"), TimeSpan.FromSeconds(5)).AsTask();
        var sent = await peer.ReadUntil("PUB");
        _clock.Advance(TimeSpan.FromSeconds(4.8));
        Assert.False(request.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.3));
        await Assert.ThrowsAsync<NatsTimeoutException>(() => request);

        await peer.Deliver(1, sent.ReplyTo, "late");
        var next = connection.RequestAsync("a", Bytes("?")).AsTask();
        await peer.Deliver(1, (await peer.ReadUntil("PUB")).ReplyTo, "in time");
        Assert.Equal("in time", Encoding.UTF8.GetString((await next).Data.Span));
    }

    [Fact]
    public async Task A_cancelled_request_ends_as_cancelled_and_is_no_longer_expected()
    {
        var (connection, peer) = await Connect();
        using var cancel = new CancellationTokenSource();
        var request = connection.RequestAsync("a", Bytes("?"), ct: cancel.Token).AsTask();
        await peer.ReadUntil("PUB");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.Equal(0, connection.Requests.Count);
    }

    [Fact]
    public async Task A_full_subscription_drops_the_newest_counts_it_and_holds_nobody_up()
    {
        var (connection, peer) = await Connect();
        await using var slow = await connection.SubscribeAsync("slow", capacity: 2);
        await using var other = await connection.SubscribeAsync("other");
        var slowId = long.Parse((await peer.ReadUntil("SUB")).Fields[1]);
        for (var i = 1; i <= 5; i++)
        {
            await peer.Deliver(slowId, "slow", $"{i}");
        }

        await peer.Deliver(slowId + 1, "other", "x");
        await other.Reader.ReadAsync();

        Assert.Equal((3, 3), (slow.Dropped, connection.Counters.SubscriptionDrops));
        Assert.True(slow.Reader.TryRead(out var first));
        Assert.True(slow.Reader.TryRead(out var second));
        Assert.Equal("12", Encoding.UTF8.GetString([.. first.Data.Span, .. second.Data.Span]));
        Assert.False(slow.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData("garbage\r\n")]
    [InlineData("MSG a 1 999999999\r\n")]
    [InlineData("-ERR 'Stale Connection'\r\n")]
    public async Task Bytes_that_end_the_link_fail_what_is_under_way_and_lead_to_a_new_link(string bytes)
    {
        var (connection, peer) = await Connect();
        await using var subscription = await connection.SubscribeAsync("a.>", "group");
        var request = connection.RequestAsync("a", Bytes("?")).AsTask();
        await peer.ReadUntil("PUB");

        await peer.Send(bytes);

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => request);
        Assert.True(error.IsTransient);
        var next = await Reconnect();
        Assert.Equal("SUB", (await next.Read()).Name);
        Assert.Equal(["a.>", "group"], (await next.Read()).Fields[..2]);
        await connection.WaitUntilConnectedAsync();
        Assert.Equal(2, connection.ConnectionGeneration);
        await next.Send("PING\r\n");
        Assert.Equal("PONG", (await next.Read()).Name);
    }

    [Fact]
    public async Task A_silent_server_is_left_after_the_pings_went_unanswered()
    {
        var (connection, peer) = await Connect();
        _clock.Advance(TimeSpan.FromSeconds(20.1));
        Assert.Equal("PING", (await peer.Read()).Name);
        _clock.Advance(TimeSpan.FromSeconds(20.1));
        Assert.Equal("PING", (await peer.Read()).Name);
        _clock.Advance(TimeSpan.FromSeconds(20.1));

        await Reconnect();
        await connection.WaitUntilConnectedAsync();
        Assert.Equal(2, connection.ConnectionGeneration);
    }

    [Fact]
    public async Task A_publish_that_waits_for_room_fails_at_a_break_and_is_not_sent_later()
    {
        var (connection, peer) = await Connect(Options with { WriteBufferBytes = 4096 });

        // The pipe to the peer takes 64 KiB unread, the buffer two halves of 4 KiB: the last ones wait.
        var publishes = Enumerable.Range(0, 200)
            .Select(_ => connection.PublishAsync("a", new byte[3000]).AsTask()).ToArray();

        await peer.Cut();

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => publishes[^1]);
        Assert.True(error.IsTransient);
        var next = await Reconnect();
        await connection.WaitUntilConnectedAsync();
        await connection.PublishAsync("b", Bytes("new"));
        Assert.Equal("b", (await next.ReadUntil("PUB")).Subject);
        Assert.True(connection.Counters.PublishesDiscarded > 0);
    }

    [Fact]
    public async Task Without_a_link_a_publish_fails_at_once_and_the_servers_are_tried_in_turn()
    {
        var (connection, peer) = await Connect(Options with { Servers = ["one", "two", "three"] });
        var tried = new List<string>();
        connection.ConnectionChanged += e =>
        {
            if (e.Kind == NatsConnectionEventKind.ConnectFailed)
            {
                tried.Add(e.Server);
            }
        };
        _server.Refusal = new IOException("refused");
        await peer.Cut();
        while (tried.Count < 6)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        await Assert.ThrowsAsync<NatsConnectionException>(async () => await connection.PublishAsync("a", Bytes("x")));
        await Assert.ThrowsAsync<NatsConnectionException>(async () => await connection.RequestAsync("a", Bytes("x")));
        Assert.Equal(3, tried.Take(3).Distinct().Count());
        Assert.Equal(tried.Take(3), tried.Skip(3).Take(3));
        Assert.Equal(NatsConnectionState.Disconnected, connection.State);

        _server.Refusal = null;
        await Reconnect();
        await connection.WaitUntilConnectedAsync();
    }

    [Fact]
    public async Task Keeping_on_at_start_outlives_refused_connects()
    {
        _server.Refusal = new IOException("refused");
        var connecting = NatsConnection.ConnectAsync(Options with { KeepTryingAtStart = true }).AsTask();
        while (_server.Connects < 5)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        _server.Refusal = null;
        await Reconnect();
        var connection = await connecting;
        _connections.Add(connection);
        Assert.Equal(1, connection.ConnectionGeneration);
        Assert.True(connection.Counters.ConnectFailures >= 5);
    }

    [Fact]
    public async Task Flush_waits_for_the_server()
    {
        var (connection, peer) = await Connect();
        await connection.PublishAsync("a", Bytes("x"));
        var flushing = connection.FlushAsync().AsTask();
        Assert.Equal("PUB", (await peer.Read()).Name);
        Assert.Equal("PING", (await peer.Read()).Name);
        Assert.False(flushing.IsCompleted);
        await peer.Send("PONG\r\n");
        await flushing;

        flushing = connection.FlushAsync().AsTask();
        await peer.ReadUntil("PING");
        await peer.Cut();
        await Assert.ThrowsAsync<NatsConnectionException>(() => flushing);
    }

    [Fact]
    public async Task Disposal_is_bounded_when_the_server_does_not_answer_and_fails_whoever_waits()
    {
        var (connection, peer) = await Connect();
        await using var subscription = await connection.SubscribeAsync("a");
        var request = connection.RequestAsync("a", Bytes("?")).AsTask();
        var disposing = connection.DisposeAsync().AsTask();
        await peer.ReadUntil("PING");
        _clock.Advance(Options.DisposeTimeout);
        await disposing;

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => request);
        Assert.False(error.IsTransient);
        Assert.False(await subscription.Reader.WaitToReadAsync());
        Assert.Equal(NatsConnectionState.Closed, connection.State);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await connection.PublishAsync("a", Bytes("x")));
        Assert.Equal(1, _server.Connects);
    }

    [Fact]
    public async Task A_handler_of_events_that_throws_does_not_stop_the_reconnecting()
    {
        var (connection, peer) = await Connect();
        connection.ConnectionChanged += _ => throw new InvalidOperationException("handler");
        await peer.Cut();
        await Reconnect();
        await connection.WaitUntilConnectedAsync();
        Assert.True(connection.Counters.HandlerFailures >= 1);
    }

    [Fact]
    public async Task A_message_handler_that_throws_ends_the_link_and_not_the_connection()
    {
        var (connection, peer) = await Connect();
        await using var subscription = await connection.SubscribeAsync("a", _ => throw new InvalidOperationException());
        var id = long.Parse((await peer.ReadUntil("SUB")).Fields[^1]);
        await peer.Deliver(id, "a", "x");
        await Reconnect();
        await connection.WaitUntilConnectedAsync();
        Assert.Equal(2, connection.ConnectionGeneration);
    }

    [Fact]
    public void Options_as_text_hold_no_secrets() =>
        Assert.Equal("NATS one", $"{new NatsOptions { Servers = ["one"], Password = "p", Token = "t" }}");

    [Fact]
    public async Task One_subscription_too_many_is_refused()
    {
        var (connection, _) = await Connect(Options with { SubscriptionsMax = 2 });
        var first = await connection.SubscribeAsync("a");
        await connection.SubscribeAsync("b");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await connection.SubscribeAsync("c"));
        await first.DisposeAsync();
        await connection.SubscribeAsync("c");
    }

    [Theory]
    [InlineData("http://a")]
    [InlineData("nats://user:secret@a:1")]
    [InlineData("")]
    public void An_address_that_is_none_is_refused_without_repeating_secrets(string server)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => (Options with { Servers = [server] }).Validate());
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }
}
