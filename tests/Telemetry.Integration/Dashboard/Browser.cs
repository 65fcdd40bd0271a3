using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Dashboard;

/// <summary>
/// The distribution's Chromium without a window, driven by its DevTools protocol. It notes all that the page writes to
/// the console, errors and violations of the page's policy among them.
/// </summary>
internal sealed class Browser : IAsyncDisposable
{
    public const string Program = "chromium";

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    private static readonly JsonSerializerOptions WithoutNulls = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly TemporaryFolder _folder;
    private readonly ServerProcess _process;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _calls = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _end = new();
    private Task _reading = Task.CompletedTask;
    private int _last;

    private Browser(TemporaryFolder folder, ServerProcess process) => (_folder, _process) = (folder, process);

    /// <summary>What the page wrote to the console, and its errors.</summary>
    public ConcurrentQueue<string> Console { get; } = new();

    public static async Task<Browser> Start()
    {
        var folder = new TemporaryFolder();
        var process = await ServerProcess.Start(new ServerCommand(
            Programs.Require(Program),
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--remote-debugging-port=0", $"--user-data-dir={folder.FullPath}", "about:blank",
            ])
        { Folder = folder.FullPath });
        var browser = new Browser(folder, process);
        await browser.ConnectAsync();
        return browser;
    }

    /// <summary>Opens a page as wide and as dark as asked for, and waits until the expression is true on it.</summary>
    public async Task OpenAsync(string address, string until, int width = 1280, int height = 900, bool dark = false)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new
        {
            width,
            height,
            deviceScaleFactor = 1,
            mobile = false,
        });
        await CallAsync("Emulation.setEmulatedMedia", new
        {
            features = new[] { new { name = "prefers-color-scheme", value = dark ? "dark" : "light" } },
        });
        await CallAsync("Page.navigate", new { url = address });
        await UntilAsync(until);
    }

    /// <summary>Waits until an expression is true on the page.</summary>
    public async Task UntilAsync(string expression)
    {
        using var limit = new CancellationTokenSource(Within);
        while (!limit.IsCancellationRequested)
        {
            if (await TryEvaluateAsync(expression) is { ValueKind: JsonValueKind.True })
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }

        var text = await TryEvaluateAsync("document.body.innerText");
        throw new TimeoutException($"'{expression}' did not become true: {text}\n{string.Join('\n', Console)}");
    }

    /// <summary>The value of an expression, as text.</summary>
    public async Task<string> TextAsync(string expression) => $"{await TryEvaluateAsync(expression)}";

    /// <summary>Presses a key, as somebody at a keyboard does.</summary>
    public async Task PressAsync(string key, int code, string? text = null)
    {
        await CallAsync("Input.dispatchKeyEvent", new { type = "keyDown", key, windowsVirtualKeyCode = code, text });
        await CallAsync("Input.dispatchKeyEvent", new { type = "keyUp", key, windowsVirtualKeyCode = code });
    }

    /// <summary>Takes a picture, for people.</summary>
    public async Task PictureAsync(string path)
    {
        var picture = await CallAsync("Page.captureScreenshot", new { format = "png" });
        await File.WriteAllBytesAsync(path, picture.GetProperty("data").GetBytesFromBase64());
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        await _process.DisposeAsync();
        await _folder.DisposeAsync();
        _sending.Dispose();
        _end.Dispose();
    }

    private async Task ConnectAsync()
    {
        var file = _folder.At("DevToolsActivePort");
        await _process.WaitUntilReady(_ => Task.FromResult(
            File.Exists(file) && File.ReadAllLines(file).Length > 1), Within);
        using var http = new HttpClient();
        var port = File.ReadAllLines(file)[0];
        var targets = JsonDocument.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list")));
        var page = targets.RootElement.EnumerateArray().First(t => t.GetProperty("type").GetString() == "page");
        await _socket.ConnectAsync(new Uri(page.GetProperty("webSocketDebuggerUrl").GetString()!), _end.Token);
        _reading = ReadAsync();
        foreach (var domain in new[] { "Page", "Runtime", "Log" })
        {
            await CallAsync($"{domain}.enable", new { });
        }
    }

    private async Task<JsonElement?> TryEvaluateAsync(string expression)
    {
        var answer = await CallAsync(
            "Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        return answer.TryGetProperty("exceptionDetails", out _)
            || !answer.GetProperty("result").TryGetProperty("value", out var value) ? null : value;
    }

    private async Task<JsonElement> CallAsync(string method, object parameters)
    {
        var id = Interlocked.Increment(ref _last);
        var answer = _calls[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = JsonSerializer.SerializeToUtf8Bytes(
            new { id, method, @params = parameters },
            WithoutNulls);
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, _end.Token);
        }
        finally
        {
            _sending.Release();
        }

        return await answer.Task.WaitAsync(Within);
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            using var message = new MemoryStream();
            WebSocketReceiveResult received;
            do
            {
                received = await _socket.ReceiveAsync(buffer, _end.Token);
                message.Write(buffer, 0, received.Count);
            }
            while (!received.EndOfMessage);
            Take(JsonDocument.Parse(Encoding.UTF8.GetString(message.ToArray())).RootElement);
        }
    }

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            if (_calls.TryRemove(id.GetInt32(), out var call))
            {
                if (message.TryGetProperty("result", out var result))
                {
                    call.SetResult(result);
                }
                else
                {
                    call.SetException(new InvalidOperationException(message.GetRawText()));
                }
            }
        }
        else if (message.GetProperty("method").GetString()
            is "Runtime.consoleAPICalled" or "Runtime.exceptionThrown" or "Log.entryAdded")
        {
            Console.Enqueue(message.GetRawText());
        }
    }
}
