using System.Net;
using System.Net.Sockets;

namespace Telemetry.TestKit.Servers;

/// <summary>Questions to a server that is starting.</summary>
public static class Probe
{
    /// <summary>Does it accept a TCP connection on this port of 127.0.0.1?</summary>
    public static Func<CancellationToken, Task<bool>> Accepts(int port) => async cancellation =>
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
        return true;
    };

    /// <summary>Does it accept one and say this first?</summary>
    public static Func<CancellationToken, Task<bool>> Greets(int port, string greeting) => async cancellation =>
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
        await using var stream = new NetworkStream(socket);
        var bytes = new byte[greeting.Length];
        await stream.ReadExactlyAsync(bytes, cancellation);
        return System.Text.Encoding.ASCII.GetString(bytes) == greeting;
    };
}
