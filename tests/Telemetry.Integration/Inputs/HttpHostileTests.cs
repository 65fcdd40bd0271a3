using System.Net;
using System.Net.Sockets;
using System.Text;
using Telemetry.TestKit.Time;

namespace Telemetry.Integration.Inputs;

/// <summary>
/// What comes to the HTTP port that should not: a clear error each time, counted, nothing of it stored, and the next
/// sender is served.
/// </summary>
public sealed class HttpHostileTests
{
    private const string Host = "Host: x\r\n", Auth = "Authorization: Token " + HttpStand.Token + "\r\n";

    [Theory]
    [InlineData(null)]
    [InlineData("wrong-token")]
    [InlineData("")]
    [InlineData("other:" + HttpStand.Token)]
    public async Task Unauthorised_senders_get_401(string? token)
    {
        await using var stand = await HttpStand.StartAsync();
        using var first = await stand.PostAsync("/write", "m f=1", token);
        using var second = await stand.PostAsync("/api/v2/write?u=telegraf&p=wrong", "m f=1", token);

        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (first.StatusCode, second.StatusCode));
        Assert.Contains(
            "\"code\":\"unauthorized\"", await second.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.NotEmpty(second.Headers.WwwAuthenticate);
        await AssertUnharmedAsync(stand, 401, 2);
    }

    [Theory]
    [InlineData("GET", "/write", 405)]
    [InlineData("PUT", "/api/v2/write", 405)]
    [InlineData("POST", "/ping", 405)]
    [InlineData("POST", "/query", 404)]
    [InlineData("POST", "/write/x", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("POST", "/write?precision=d", 400)]
    [InlineData("POST", "/api/v2/write?precision=h", 400)]
    public async Task Requests_that_mean_nothing_here_get_an_error_that_says_so(string method, string path, int status)
    {
        await using var stand = await HttpStand.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add("Authorization", "Token " + HttpStand.Token);
        request.Content = method == "GET" ? null : new StringContent("m f=1");
        using var answer = await stand.Client.SendAsync(request);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.InRange((await answer.Content.ReadAsStringAsync()).Length, 20, 300);
        await AssertUnharmedAsync(stand, status, 1);
    }

    [Fact]
    public async Task Bodies_too_large_get_413_however_they_say_their_length()
    {
        await using var stand = await HttpStand.StartAsync();
        var large = new byte[(64 * 1024) + 1];
        Array.Fill(large, (byte)'\n');
        using var known = await stand.PostAsync("/write", new ByteArrayContent(large));
        using var chunked = await stand.PostAsync("/write", new StreamContent(new UnknownLength(large)));
        using var bomb = await stand.PostAsync("/write", HttpInputTests.Gzip(new byte[32 * 1024 * 1024]));

        Assert.Equal([413, 413, 413], new[] { known, chunked, bomb }.Select(a => (int)a.StatusCode));
        Assert.Contains("bodyBytesMax", await bomb.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 413, 3);
    }

    [Fact]
    public async Task Bodies_that_are_no_gzip_or_cut_gzip_get_400_and_other_encodings_415()
    {
        await using var stand = await HttpStand.StartAsync();
        var noise = new ByteArrayContent("m f=1"u8.ToArray());
        noise.Headers.ContentEncoding.Add("gzip");
        var whole = await HttpInputTests.Gzip(
            Encoding.UTF8.GetBytes(
                string.Join('\n', Enumerable.Range(0, 500).Select(i => $"m f={i}")))).ReadAsByteArrayAsync();
        var cut = new ByteArrayContent(whole[..^20]);
        cut.Headers.ContentEncoding.Add("gzip");
        var brotli = new ByteArrayContent("m f=1"u8.ToArray());
        brotli.Headers.ContentEncoding.Add("br");

        Assert.Equal(HttpStatusCode.BadRequest, (await stand.PostAsync("/write", noise)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await stand.PostAsync("/write", cut)).StatusCode);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await stand.PostAsync("/write", brotli)).StatusCode);
        await AssertUnharmedAsync(stand, 400, 2);
    }

    [Theory]
    [InlineData("POST /write HTTP/1.1\r\nConnection: close\r\n" + Host + Auth + "\r\n", 411)]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("POST /write HTTP/1.1\r\n" + Host + "Content-Length: -5\r\n\r\n", 400)]
    [InlineData("POST /write HTTP/1.1\r\n" + Host + "Content-Length: x\r\n\r\n", 400)]
    [InlineData("POST /write HTTP/9.9\r\n" + Host + "\r\n", 505)]
    [InlineData("POST /write HTTP/1.1\r\n" + Host + "no colon\r\n\r\n", 400)]
    public async Task Broken_heads_get_an_error_and_are_counted(string head, int status)
    {
        await using var stand = await HttpStand.StartAsync();
        Assert.StartsWith($"HTTP/1.1 {status} ", await stand.SayAsync(head), StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, status, 1);
    }

    [Fact]
    public async Task Broken_chunks_get_400()
    {
        await using var stand = await HttpStand.StartAsync();
        var answer = await stand.SayAsync(
            $"POST /write HTTP/1.1\r\n{Host}{Auth}Transfer-Encoding: chunked\r\n\r\nzz\r\nm f=1\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 400, 1);
    }

    [Fact]
    public async Task Heads_and_targets_too_long_get_431_and_414()
    {
        await using var stand = await HttpStand.StartAsync();
        var header = await stand.SayAsync($"POST /write HTTP/1.1\r\n{Host}X: {new string('x', 9 * 1024)}\r\n\r\n");
        var target = await stand.SayAsync($"POST /write?{new string('x', 9 * 1024)} HTTP/1.1\r\n{Host}\r\n");

        Assert.StartsWith("HTTP/1.1 431 ", header, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414 ", target, StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 431, 1);
    }

    [Fact]
    public async Task A_body_that_ends_before_its_end_is_counted_and_nothing_of_it_stored()
    {
        await using var stand = await HttpStand.StartAsync();
        await stand.SayAsync(
            $"POST /write HTTP/1.1\r\n{Host}{Auth}Content-Length: 100\r\n\r\nm f=1 0\nm f=2 0\n", endSending: true);

        await HttpStand.UntilAsync(() => stand.Status.BodiesCut == 1);
        await AssertUnharmedAsync(stand, 400, 1);
    }

    [Fact]
    public async Task A_body_that_is_too_slow_gets_408()
    {
        var clock = new SimulatedClock();
        await using var stand = await HttpStand.StartAsync(time: clock);
        var answer = await PassTimeUntil(
            stand.SayAsync($"POST /write HTTP/1.1\r\n{Host}{Auth}Content-Length: 100\r\n\r\nm f=1 0\n"),
            clock, stand.Options.BodyTimeout);

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("bodyTimeout", answer, StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 408, 1);
    }

    [Fact]
    public async Task A_head_that_is_too_slow_gets_408()
    {
        await using var stand = await HttpStand.StartAsync(
            o => o with { HeadTimeout = TimeSpan.FromMilliseconds(300) });
        var answer = await stand.SayAsync($"POST /write HTTP/1.1\r\n{Host}");

        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 408, 1);
    }

    [Fact]
    public async Task Silent_connections_are_closed()
    {
        await using var stand = await HttpStand.StartAsync(o => o with { IdleTimeout = TimeSpan.FromSeconds(1) });
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync("127.0.0.1", stand.Options.Port);

        Assert.Equal("", await HttpStand.HearAsync(silent));
        await HttpStand.UntilAsync(() => stand.Status.Connections == 0);
        Assert.Equal(0, stand.Accepted);
    }

    [Fact]
    public async Task Too_many_connections_get_503()
    {
        await using var stand = await HttpStand.StartAsync(o => o with { ConnectionsMax = 3 });
        var silent = new List<Socket>();
        for (var i = 0; i < 3; i++)
        {
            silent.Add(new Socket(SocketType.Stream, ProtocolType.Tcp));
            await silent[i].ConnectAsync("127.0.0.1", stand.Options.Port);
        }

        await HttpStand.UntilAsync(() => stand.Status.Connections == 3);
        Assert.StartsWith(
            "HTTP/1.1 503 ", await stand.SayAsync($"GET /ping HTTP/1.1\r\n{Host}\r\n"), StringComparison.Ordinal);
        Assert.Equal(1, stand.Status.ConnectionsRefused);

        silent.ForEach(socket => socket.Dispose());
        await HttpStand.UntilAsync(() => stand.Status.Connections == 0);
        await AssertUnharmedAsync(stand, 204, 0);
    }

    [Fact]
    public async Task Bodies_beyond_the_memory_for_all_of_them_get_429_until_there_is_room()
    {
        var clock = new SimulatedClock();
        await using var stand = await HttpStand.StartAsync(o => o with { BodiesBytesMax = 96 * 1024 }, clock);
        var said = "";

        // Its body grows as it arrives: where the others take the room in that moment, it is refused, and not they.
        for (var tries = 0; tries < 20 && !said.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal); tries++)
        {
            using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await slow.ConnectAsync("127.0.0.1", stand.Options.Port);
            var half = new string('#', 60_000);
            var stuck = HttpStand.SayAsync(
                slow, $"POST /write HTTP/1.1\r\n{Host}{Auth}Content-Length: 65000\r\n\r\n{half}");
            HttpResponseMessage answer;
            do
            {
                answer = await stand.PostAsync("/write", $"#{half}");
            }
            while (answer.StatusCode == HttpStatusCode.NoContent && !stuck.IsCompleted);

            said = await PassTimeUntil(stuck, clock, stand.Options.BodyTimeout);
            if (said.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal))
            {
                Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
                Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
            }
            else
            {
                Assert.StartsWith("HTTP/1.1 429 ", said, StringComparison.Ordinal);
            }
        }

        Assert.StartsWith("HTTP/1.1 408 ", said, StringComparison.Ordinal);
        await AssertUnharmedAsync(stand, 429, 1);
    }

    /// <summary>When the limit began to run is not seen from here, so it passes until there is an answer.</summary>
    private static async Task<string> PassTimeUntil(Task<string> answer, SimulatedClock clock, TimeSpan limit)
    {
        while (!answer.IsCompleted)
        {
            clock.Advance(limit);
            await Task.WhenAny(answer, Task.Delay(20));
        }

        return await answer;
    }

    // Nothing is stored so far, the error is counted, and a good sender is served.
    private static async Task AssertUnharmedAsync(HttpStand stand, int status, int times)
    {
        Assert.Equal(0, stand.Accepted);
        await HttpStand.UntilAsync(() => stand.Answered(status) >= times);
        using var good = await stand.PostAsync("/write", "m f=1 0");
        Assert.Equal(HttpStatusCode.NoContent, good.StatusCode);
        Assert.Equal(1, stand.Accepted);
    }

    /// <summary>Bytes of which nobody knows how many they are.</summary>
    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
