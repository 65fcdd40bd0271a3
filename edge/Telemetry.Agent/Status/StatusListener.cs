using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Telemetry.Agent.Status;

/// <summary>
/// Answers GET requests on a port of 127.0.0.1, one a connection: enough for probes, Prometheus and people, and far
/// lighter than a web server. Runs on the loop that starts it, so that answers may look at agents without locks.
/// </summary>
public sealed class StatusListener : IAsyncDisposable
{
    // A request of more bytes, or one that takes longer, is closed without an answer.
    private const int RequestBytesMax = 8 * 1024;
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);

    // More at once are closed without an answer.
    private const int ConnectionsMax = 16;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _closing = new();
    private readonly Func<string, HttpAnswer> _answer;
    private readonly TimeProvider _time;
    private readonly Task _accepting;
    private int _connections;

    /// <summary>
    /// Listens; throws <see cref="SocketException"/> when the port is taken. <paramref name="answer"/> gets the path.
    /// </summary>
    public StatusListener(int port, Func<string, HttpAnswer> answer, TimeProvider time)
    {
        _answer = answer;
        _time = time;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port; the one that was free when 0 was asked for.</summary>
    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        _listener.Dispose();
        await _accepting;
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var connection = await _listener.AcceptAsync(_closing.Token);
                if (_connections == ConnectionsMax)
                {
                    connection.Dispose();
                    continue;
                }

                _connections++;
                _ = ServeAsync(connection);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Closing, or a client that left before it was accepted.
                continue;
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using var timeout = new CancellationTokenSource(RequestTimeout, _time);
        try
        {
            if (await RequestAsync(connection, timeout.Token) is { } path)
            {
                await AnswerAsync(connection, _answer(path), timeout.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client's own loss: it asks again.
            return;
        }
        finally
        {
            _connections--;
            connection.Dispose();
        }
    }

    // The path of a GET; null when the request is not a GET.
    private static async Task<string?> RequestAsync(Socket connection, CancellationToken cancellationToken)
    {
        var request = new byte[RequestBytesMax];
        var length = 0;
        while (request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var read = await connection.ReceiveAsync(request.AsMemory(length), cancellationToken);
            length += read;
            if (read == 0 || length == request.Length)
            {
                return null;
            }
        }

        var line = Encoding.ASCII.GetString(request, 0, request.AsSpan(0, length).IndexOf((byte)'\r')).Split(' ');
        return line is ["GET", var target, ..] ? target.Split('?')[0] : null;
    }

    private static async Task AnswerAsync(Socket connection, HttpAnswer answer, CancellationToken cancellationToken)
    {
        var head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {answer.Status} {(HttpStatusCode)answer.Status}\r\nContent-Type: {answer.ContentType}\r\n"
            + $"Content-Length: {answer.Body.Length}\r\nConnection: close\r\n\r\n");
        byte[] whole = [.. head, .. answer.Body.Span];
        for (var sent = 0; sent < whole.Length;)
        {
            sent += await connection.SendAsync(whole.AsMemory(sent), cancellationToken);
        }

        connection.Shutdown(SocketShutdown.Send);
    }
}
