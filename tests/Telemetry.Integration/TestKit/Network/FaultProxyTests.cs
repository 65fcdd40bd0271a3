using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Telemetry.TestKit.Network;

namespace Telemetry.Integration.TestKit.Network;

public sealed class FaultProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(150);

    private readonly EchoServer _server = new();
    private readonly FaultProxy _proxy;

    public FaultProxyTests() => _proxy = new FaultProxy(_server.Port);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Bytes_go_through_unchanged_both_ways_and_the_end_too()
    {
        using var client = await Connect();
        var sent = new byte[1_000_000];
        new Random(1).NextBytes(sent);

        var sending = client.SendAsync(sent);
        Assert.Equal(sent, await Receive(client, sent.Length));
        await sending;
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(Soon));
        Assert.Equal(sent.Length, _proxy.BytesPassed(Direction.ToServer));
        Assert.Equal(sent.Length, _proxy.BytesPassed(Direction.ToClient));
    }

    [Fact]
    public async Task Reset_breaks_open_and_new_connections_until_healed()
    {
        using var open = await Connect();
        await Echo(open);

        _proxy.Cut(CutKind.Reset);

        await AssertReset(open);
        await AssertBroken();

        _proxy.Heal();

        using var healed = await Connect();
        await Echo(healed);
    }

    [Fact]
    public async Task Reset_by_the_client_reaches_the_server_as_a_reset()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var proxy = new FaultProxy(((IPEndPoint)listener.LocalEndpoint).Port);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port);
        using var server = await listener.AcceptSocketAsync().WaitAsync(Soon);
        await client.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await Receive(server, 5));

        client.LingerState = new LingerOption(true, 0);
        client.Dispose();

        await AssertReset(server);
    }

    [Fact]
    public async Task Silence_holds_bytes_back_and_loses_none()
    {
        using var client = await Connect();
        await Echo(client);

        _proxy.Cut(CutKind.Silent);
        await client.SendAsync("held"u8.ToArray());
        var answer = Receive(client, 4);
        using var newcomer = await Connect();
        await newcomer.SendAsync("too"u8.ToArray());
        var newAnswer = Receive(newcomer, 3);
        await Task.Delay(Moment);
        Assert.False(answer.IsCompleted);
        Assert.False(newAnswer.IsCompleted);

        _proxy.Heal();

        Assert.Equal("held"u8.ToArray(), await answer);
        Assert.Equal("too"u8.ToArray(), await newAnswer);
    }

    [Fact]
    public async Task Connection_breaks_right_after_the_given_byte()
    {
        using var client = await Connect();
        _proxy.CutAfter(Direction.ToClient, 5);

        await client.SendAsync("123456789"u8.ToArray());

        Assert.Equal("12345"u8.ToArray(), await Receive(client, 5));
        await AssertReset(client);
        using var next = await Connect();
        await Echo(next);
    }

    [Fact]
    public async Task Delay_holds_for_each_direction()
    {
        using var client = await Connect();
        _proxy.Delay = Moment;
        var clock = Stopwatch.StartNew();

        await Echo(client);

        Assert.True(clock.Elapsed >= 2 * Moment, $"it took {clock.Elapsed}");
    }

    [Fact]
    public async Task Delay_does_not_limit_the_rate()
    {
        using var client = await Connect();
        _proxy.Delay = TimeSpan.FromMinutes(10);

        await client.SendAsync(new byte[500_000]).WaitAsync(Soon);

        using var limit = new CancellationTokenSource(Soon);
        while (_proxy.BytesPassed(Direction.ToServer) < 500_000)
        {
            await Task.Delay(1, limit.Token);
        }

        Assert.Equal(0, _proxy.BytesPassed(Direction.ToClient));
    }

    [Fact]
    public async Task Bandwidth_is_shared_by_all_connections()
    {
        _proxy.LimitBandwidth(Direction.ToServer, 100_000);
        using var first = await Connect();
        using var second = await Connect();
        var clock = Stopwatch.StartNew();

        var sending = Task.WhenAll(first.SendAsync(new byte[20_000]), second.SendAsync(new byte[20_000]));
        await Task.WhenAll(Receive(first, 20_000), Receive(second, 20_000));
        await sending;

        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(0.38), $"it took {clock.Elapsed}");
    }

    [Fact]
    public async Task Client_of_a_server_that_is_down_sees_a_reset()
    {
        await _server.DisposeAsync();

        await AssertBroken();
        // The client sees the reset a moment before the proxy has put the connection away.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (_proxy.OpenConnections > 0)
        {
            await Task.Delay(1, limit.Token);
        }
    }

    private async Task<Socket> Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _proxy.Port);
        return socket;
    }

    private static async Task Echo(Socket client)
    {
        await client.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await Receive(client, 5));
    }

    private static async Task<byte[]> Receive(Socket client, int count)
    {
        var bytes = new byte[count];
        await new NetworkStream(client).ReadExactlyAsync(bytes).AsTask().WaitAsync(Soon);
        return bytes;
    }

    private static async Task AssertReset(Socket client)
    {
        var e = await Assert.ThrowsAsync<SocketException>(
            () => client.ReceiveAsync(new byte[1]).WaitAsync(Soon));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    // The reset may come before connect returns, or after.
    private async Task AssertBroken() => await Assert.ThrowsAsync<SocketException>(async () =>
    {
        using var client = await Connect();
        await client.ReceiveAsync(new byte[1]).WaitAsync(Soon);
    });

    private sealed class EchoServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        public EchoServer()
        {
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _serving = Serve();
        }

        public int Port { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task Serve()
        {
            var echoing = new List<Task>();
            try
            {
                while (true)
                {
                    echoing.Add(Echo(await _listener.AcceptSocketAsync()));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                await Task.WhenAll(echoing);
            }
        }

        private static async Task Echo(Socket socket)
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            try
            {
                await stream.CopyToAsync(stream);
            }
            catch (IOException)
            {
                socket.Close(0); // Broken from the other side, as the test wants it.
            }
        }
    }
}
