using System.Net;
using System.Net.Sockets;
using Telemetry.Agent.Status;

namespace Telemetry.Integration.Edge;

public sealed class StatusListenerTests
{
    [Fact]
    public async Task Answers_get_requests_and_refuses_what_it_does_not_know()
    {
        await using var listener = Listen();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{listener.Port}") };

        Assert.Equal("you asked /status", await http.GetStringAsync("/status?x=1"));
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/none")).StatusCode);
    }

    [Theory]
    [InlineData("POST /status HTTP/1.1\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task What_is_no_get_request_is_closed_without_an_answer(string request)
    {
        await using var listener = Listen();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, listener.Port);
        await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(request));

        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task A_request_too_long_is_closed_and_others_are_answered()
    {
        await using var listener = Listen();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, listener.Port);
        await client.GetStream().WriteAsync(new byte[8 * 1024]);

        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
        using var http = new HttpClient();
        Assert.Equal("you asked /", await http.GetStringAsync(new Uri($"http://127.0.0.1:{listener.Port}/")));
    }

    [Fact]
    public async Task Silent_connections_over_the_limit_are_closed()
    {
        await using var listener = Listen();
        var clients = new List<TcpClient>();
        for (var i = 0; i < 17; i++)
        {
            clients.Add(new TcpClient());
            await clients[^1].ConnectAsync(IPAddress.Loopback, listener.Port);
        }

        Assert.Equal(0, await clients[^1].GetStream().ReadAsync(new byte[1]));
        clients.ForEach(client => client.Dispose());
    }

    private static StatusListener Listen() => new(
        0, path => path == "/none" ? HttpAnswer.NotFound : HttpAnswer.Text(200, "you asked " + path),
        TimeProvider.System);
}
