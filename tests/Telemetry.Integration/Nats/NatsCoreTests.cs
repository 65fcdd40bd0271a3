using Telemetry.Nats;
using Telemetry.Testing.Servers;
using static Telemetry.Integration.Nats.NatsClients;

namespace Telemetry.Integration.Nats;

public sealed class NatsCoreTests
{
    [NatsFact]
    public async Task A_subscriber_gets_subject_headers_payload_and_reply_as_published()
    {
        await using var server = await NatsServer.Start();
        await using var one = await Connect(server);
        await using var two = await Connect(server);
        await using var subscription = await two.SubscribeAsync("a.*.c");
        await two.FlushAsync();

        await one.PublishAsync(
            "a.b.c", Bytes("hello"), new NatsHeaders().Add("X", "1").Add("X", "zwei ä").Add("Y", ""), "back.to.me");

        var message = await subscription.Reader.ReadAsync(Limit());
        Assert.Equal("a.b.c", message.Subject);
        Assert.Equal("hello", message.Text());
        Assert.Equal("back.to.me", message.ReplyTo);
        Assert.Equal(
            [new("X", "1"), new("X", "zwei ä"), new("Y", "")],
            (IEnumerable<KeyValuePair<string, string>>)message.Headers);
    }

    [NatsFact]
    public async Task A_payload_of_the_largest_size_arrives_whole_and_a_larger_one_is_refused_before_it_is_sent()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await using var subscription = await connection.SubscribeAsync("big");
        var payload = new byte[connection.ServerInfo.MaxPayload];
        new Random(1).NextBytes(payload);

        await connection.PublishAsync("big", payload);
        var message = await subscription.Reader.ReadAsync(Limit());
        Assert.True(message.Data.Span.SequenceEqual(payload));

        await Assert.ThrowsAsync<NatsPayloadTooLargeException>(
            async () => await connection.PublishAsync("big", new byte[payload.Length + 1]));
        Assert.Equal(NatsConnectionState.Connected, connection.State);
    }

    [NatsFact]
    public async Task A_request_gets_its_own_answer_among_many()
    {
        await using var server = await NatsServer.Start();
        await using var asking = await Connect(server);
        await using var answering = await Connect(server);
        await using var subscription = await answering.SubscribeAsync(
            "ask", message => _ = answering.PublishAsync(message.ReplyTo!, message.Data).AsTask(), "group");
        await answering.FlushAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 500).Select(
            async i => (await asking.RequestAsync("ask", Bytes($"{i}"))).Text()));

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), answers);
    }

    [NatsFact]
    public async Task A_request_that_nobody_hears_fails_as_no_responders()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);

        var error = await Assert.ThrowsAsync<NatsNoRespondersException>(
            async () => await connection.RequestAsync("nobody", Bytes("?")));

        Assert.True(error.IsTransient);
        Assert.Equal("nobody", error.Subject);
    }

    [NatsFact]
    public async Task A_request_without_an_answer_runs_out_of_time()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await using var silent = await connection.SubscribeAsync("silent");

        await Assert.ThrowsAsync<NatsTimeoutException>(
            async () => await connection.RequestAsync("silent", Bytes("?"), TimeSpan.FromMilliseconds(200)));
        Assert.Equal(1, connection.Counters.RequestTimeouts);
    }

    [NatsFact]
    public async Task User_and_password_are_checked_by_the_server()
    {
        await using var server = await NatsServer.Start(
            """
            authorization { user: "cloud", password: "secret" }
            """);
        var options = Options(server) with { User = "cloud", Password = "secret" };
        await using (var connection = await NatsConnection.ConnectAsync(options))
        {
            await connection.FlushAsync(Limit());
        }

        var none = Options(server);
        foreach (var wrong in new[] { options with { Password = "no" }, none, none with { Token = "t" } })
        {
            var error = await Assert.ThrowsAsync<NatsAuthenticationException>(
                async () => await NatsConnection.ConnectAsync(wrong));
            Assert.False(error.IsTransient);
        }
    }

    [NatsFact]
    public async Task A_token_is_checked_by_the_server()
    {
        await using var server = await NatsServer.Start(
            """
            authorization { token: "s3cr3t" }
            """);
        await using var connection = await NatsConnection.ConnectAsync(Options(server) with { Token = "s3cr3t" });
        await connection.FlushAsync(Limit());
        await Assert.ThrowsAsync<NatsAuthenticationException>(
            async () => await NatsConnection.ConnectAsync(Options(server) with { Token = "wrong" }));
    }

    [NatsFact]
    public async Task A_refused_subject_is_reported_and_the_connection_goes_on()
    {
        await using var server = await NatsServer.Start(
            """
            authorization {
              users = [ { user: "u", password: "p", permissions: { publish: ["ok.>"], subscribe: [">"] } } ]
            }
            """);
        await using var connection = await NatsConnection.ConnectAsync(
            Options(server) with { User = "u", Password = "p" });
        var complaint = new TaskCompletionSource<string?>();
        connection.ConnectionChanged += e => complaint.TrySetResult(e.Detail);
        await using var subscription = await connection.SubscribeAsync("ok.a");

        await connection.PublishAsync("forbidden", Bytes("x"));
        await connection.PublishAsync("ok.a", Bytes("y"));

        Assert.Contains("Permissions Violation", await complaint.Task.WaitAsync(Limit()), StringComparison.Ordinal);
        Assert.Equal("y", (await subscription.Reader.ReadAsync(Limit())).Text());
        Assert.Equal(1, connection.Counters.ServerComplaints);
    }

    [NatsFact]
    public async Task Subscriptions_are_made_again_after_the_server_was_killed()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await using var subscription = await connection.SubscribeAsync("a");
        await connection.FlushAsync();

        await server.Kill();
        await server.Restart();
        await connection.WaitUntilConnectedAsync(Limit());
        for (var sent = false; !sent;)
        {
            try
            {
                await connection.PublishAsync("a", Bytes("after"));
                await connection.FlushAsync(Limit());
                sent = true;
            }
            catch (NatsConnectionException e) when (e.IsTransient)
            {
                await connection.WaitUntilConnectedAsync(Limit());
            }
        }

        Assert.Equal("after", (await subscription.Reader.ReadAsync(Limit())).Text());
        Assert.Equal(2, connection.ConnectionGeneration);
        Assert.Equal(1, connection.Counters.Reconnects);
    }

    [NatsFact]
    public async Task A_request_under_way_at_a_break_fails_at_once_as_transient()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await using var silent = await connection.SubscribeAsync("silent");
        var request = connection.RequestAsync("silent", Bytes("?"), TimeSpan.FromMinutes(5)).AsTask();
        await connection.FlushAsync();

        await server.Kill();

        var error = await Assert.ThrowsAsync<NatsConnectionException>(() => request.WaitAsync(Limit()));
        Assert.True(error.IsTransient);
        error = await Assert.ThrowsAsync<NatsConnectionException>(
            async () => await connection.PublishAsync("a", Bytes("x")));
        Assert.True(error.IsTransient);
    }

    [NatsFact]
    public async Task Another_server_of_the_list_takes_over()
    {
        await using var one = await NatsServer.Start();
        await using var two = await NatsServer.Start();
        await using var connection = await NatsConnection.ConnectAsync(
            Options(one) with { Servers = [one.Url, two.Url] });
        var first = connection.ServerInfo.ServerId;
        await using var three = await Connect(one);
        var isOne = three.ServerInfo.ServerId == first;

        var moved = new TaskCompletionSource();
        connection.ConnectionChanged += e =>
        {
            if (e is { Kind: NatsConnectionEventKind.Connected, Generation: 2 })
            {
                moved.TrySetResult();
            }
        };
        await (isOne ? one : two).Kill();
        await moved.Task.WaitAsync(Limit());

        Assert.NotEqual(first, connection.ServerInfo.ServerId);
    }

    [NatsFact]
    public async Task Without_any_server_the_first_connect_fails_as_transient()
    {
        var server = await NatsServer.Start();
        var options = Options(server);
        await server.DisposeAsync();

        var error = await Assert.ThrowsAsync<NatsConnectionException>(
            async () => await NatsConnection.ConnectAsync(options));
        Assert.True(error.IsTransient);
    }
}
