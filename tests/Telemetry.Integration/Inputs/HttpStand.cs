using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.Http;
using Telemetry.Model.Identity;
using Telemetry.Runtime;
using Telemetry.TestKit.Servers;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Integration.Inputs;

/// <summary>
/// The HTTP input as the agent runs it: on a loop, on a free port, over an outbox whose disk can fail.
/// </summary>
internal sealed class HttpStand : IAsyncDisposable
{
    public const string Token = "a-token-of-the-test";

    private static readonly GatewayId Gateway = GatewayId.Parse("gw-1");

    private readonly SimulatedOutboxDisk _disk = new(new Random(1));
    private readonly EventLoop _loop = new("http test");
    private readonly HttpInput _input;
    private CancellationTokenSource _stop = new();
    private ReadingOutbox _outbox = null!;
    private Task _running = Task.CompletedTask;

    private HttpStand(HttpInputOptions options, TimeProvider time)
    {
        Options = options;
        _input = new HttpInput(options, Gateway, null, time, NullLogger.Instance);
        Client = new HttpClient(
            new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true })
        {
            BaseAddress = new Uri(
                $"{(options.CertificateFile.Length > 0 ? "https" : "http")}://127.0.0.1:{options.Port}"),
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public HttpInputOptions Options { get; }

    public HttpClient Client { get; }

    public long Accepted => _loop.RunAsync(() => Task.FromResult(_outbox.Accepted)).GetAwaiter().GetResult();

    public HttpInputStatus Status => _loop.RunAsync(() => Task.FromResult(_input.Status)).GetAwaiter().GetResult();

    /// <summary>Small limits, a token, and a commit at once, where the test changes nothing.</summary>
    public static async Task<HttpStand> StartAsync(
        Func<HttpInputOptions, HttpInputOptions>? change = null, TimeProvider? time = null)
    {
        var options = new HttpInputOptions
        {
            Port = FreePort.Next(),
            Tokens = AccessTokens.Of(("telegraf", Token)),
            CommitDeadline = TimeSpan.Zero,
            BodyBytesMax = 64 * 1024,
            BodiesBytesMax = 1024 * 1024,
            HeadBytesMax = 8 * 1024,
        };
        var stand = new HttpStand(change is null ? options : change(options), time ?? TimeProvider.System);
        await stand._loop.RunAsync(stand.OpenAsync);
        return stand;
    }

    public async Task<HttpResponseMessage> PostAsync(
        string path, HttpContent content, string? token = Token, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Token", token);
        }

        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string body, string? token = Token, string? key = null) =>
        PostAsync(path, new StringContent(body), token, key);

    /// <summary>Says something raw, and gives all that comes back until the other side closes.</summary>
    public async Task<string> SayAsync(string head, bool endSending = false)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", Options.Port);
        return await SayAsync(socket, head, endSending);
    }

    public static async Task<string> SayAsync(Socket socket, string head, bool endSending = false)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(head));
        if (endSending)
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        return await HearAsync(socket);
    }

    /// <summary>All that comes until the other side closes.</summary>
    public static async Task<string> HearAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var read)
            {
                answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // Reset: what was said before stands.
            return answer.ToString();
        }

        return answer.ToString();
    }

    /// <summary>How often a status was answered.</summary>
    public long Answered(int status) => Status.Answers.Single(a => a.Status == status).Count;

    /// <summary>Waits until a count is there.</summary>
    public static async Task UntilAsync(Func<bool> holds)
    {
        for (var attempt = 0; !holds(); attempt++)
        {
            Assert.True(attempt < 1500, "it did not come to hold");
            await Task.Delay(20);
        }
    }


    /// <summary>The next commit fails.</summary>
    public Task BreakDiskAsync() => _loop.RunAsync(() =>
    {
        _disk.FailCommits(1, happenAnyway: false);
        return Task.CompletedTask;
    });

    /// <summary>
    /// As the agent does with a broken outbox: the input's run ends, and <paramref name="between"/> a new one begins.
    /// </summary>
    public async Task ReopenAsync(Func<Task> between)
    {
        await _loop.RunAsync(async () =>
        {
            await _stop.CancelAsync();
            await _running;
            await _outbox.DisposeAsync();
        });
        await between();
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        await _loop.RunAsync(OpenAsync);
    }

    /// <summary>The input ends as in an agent that is stopped; its outbox is open still.</summary>
    public Task StopInputAsync() => _loop.RunAsync(async () =>
    {
        await _stop.CancelAsync();
        await _running;
    });

    public async ValueTask DisposeAsync()
    {
        await _loop.RunAsync(async () =>
        {
            await _stop.CancelAsync();
            await _running;
            await _outbox.DisposeAsync();
        });
        Client.Dispose();
        _loop.Dispose();
        _stop.Dispose();
    }

    private async Task OpenAsync()
    {
        _outbox = await ReadingOutbox.OpenAsync(
            _disk.Open(),
            Gateway,
            new OutboxOptions(),
            TimeProvider.System,
            new Random(1),
            default);
        _running = _input.RunAsync(_outbox, _stop.Token);
        while (_input.Address is null && !_running.IsCompleted)
        {
            await Task.Delay(10);
        }
    }
}
