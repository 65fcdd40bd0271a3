using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Telemetry.TestKit.Mqtt;

namespace Telemetry.Integration.Ingress;

/// <summary>Sends CONNECTs that are to be refused, so many a second, from an address of the loopback.</summary>
internal sealed class PasswordAttack : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private int _sent;

    /// <summary>Begins at once. <paramref name="user"/> gives the user name of each attempt by its number.</summary>
    public PasswordAttack(int port, IPAddress from, int perSecond, Func<int, string> user) =>
        _running = RunAsync(port, from, perSecond, user);

    /// <summary>How many were sent.</summary>
    public int Sent => Volatile.Read(ref _sent);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync(int port, IPAddress from, int perSecond, Func<int, string> user)
    {
        var attempts = new List<Task>();
        var since = Stopwatch.StartNew();
        while (!_stop.IsCancellationRequested)
        {
            for (var due = (int)(since.Elapsed.TotalSeconds * perSecond); attempts.Count < due;)
            {
                attempts.Add(TryAsync(port, from, user(attempts.Count), attempts.Count));
            }

            await Task.Delay(5);
        }

        await Task.WhenAll(attempts);
    }

    private async Task TryAsync(int port, IPAddress from, string user, int number)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), _stop.Token);
            await socket.SendAsync(Connect(user, number), _stop.Token);
            Interlocked.Increment(ref _sent);
            while (await socket.ReceiveAsync(new byte[256], _stop.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Refused by a reset, or the attack is over.
        }
    }

    private static byte[] Connect(string user, int number)
    {
        var connect = MqttBytes.Connect(user);
        (connect.Username, connect.Password) = (user, Encoding.UTF8.GetBytes($"wrong-{number}"));
        return MqttBytes.Of(connect);
    }
}
